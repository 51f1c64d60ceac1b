"""Items and prices that an account tells of its own catalogue, and the looks at it."""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0026_catalogue.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE prices_told DROP COLUMN valid_until; DROP TABLE catalogue_prices, catalogue_items, catalogue_looks"
    )
