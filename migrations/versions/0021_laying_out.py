"""A run is laid out in one round trip."""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"


SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((SQL / "0021_laying_out.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP FUNCTION lay_run")
