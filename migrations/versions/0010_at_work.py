"""Which of beat's jobs a worker is at."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0010_at_work.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE at_work")
