"""Channels without a connector (tills), prices, and the partners that are told."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0012_partners.sql").read_text())


TABLES = (
    "alignments",
    "prices_told, price_marks, price_lines, price_runs, feed_files",
    "listener_secrets, listeners",
    "prices, till_sales, tills",
)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(f"DROP INDEX steps_told, shelves_changed; DROP TABLE {', '.join(TABLES)}")
