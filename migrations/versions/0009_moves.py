"""The moves of a step as functions of the database: conclude, open, close, feed, each one round trip."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0009_moves.sql").read_text().replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("A release before this one needs no function to be gone.")
