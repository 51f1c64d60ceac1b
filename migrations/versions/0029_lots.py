"""Positions say of which lots their pieces are."""

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0029_lots.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE positions DROP COLUMN lots")
