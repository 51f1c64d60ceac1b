"""Channels without a connector (tills), prices, and the partners that are told."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0012_partners.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP INDEX steps_told; DROP TABLE listener_secrets, listeners, prices, till_sales, tills"
    )
