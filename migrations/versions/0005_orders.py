"""The order's life: states, moves, holds, deadlines, fulfilments, sourcing rules, returns, customers."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        (Path(__file__).parents[1] / "sql" / "0005_orders.sql").read_text().replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("What is known of orders is never dropped by a migration; `make clean` forgets a local one.")
