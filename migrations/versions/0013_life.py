"""The order's whole life: money that the hub itself moves at a channel."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0013_life.sql").read_text())


UNDONE = """
ALTER TABLE fulfilments DROP COLUMN purchase, DROP COLUMN promised_at;
ALTER TABLE return_requests DROP COLUMN payer, DROP COLUMN replaced_by, DROP COLUMN pending;
DROP TABLE day_sales, money_moves
"""


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDONE)
