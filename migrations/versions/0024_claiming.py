"""A line is claimed in one call."""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((SQL / "0024_claiming.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP FUNCTION claim_line")
