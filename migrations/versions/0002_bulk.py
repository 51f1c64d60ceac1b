"""Actions on many steps, and calls that no attempt counts."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0002_bulk.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE bulk_actions; DROP TABLE usage; DROP INDEX deliveries_last")
