"""Shelves, movements, located claims that expire, parts of bundles, what channels were told, and API keys."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0004_stock.sql").read_text().replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("Claims and movements are never dropped by a migration; `make clean` forgets a local one.")
