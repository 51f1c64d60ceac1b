"""Tellings of stock say which place of the channel they are of."""

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0027_places.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE tellings DROP COLUMN location")
