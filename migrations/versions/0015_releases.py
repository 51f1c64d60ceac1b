"""Money that is released: what is left of an authorisation."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0015_releases.sql").read_text())


UNDONE = """
DELETE FROM money_moves WHERE kind = 'void';
ALTER TABLE money_moves DROP CONSTRAINT money_moves_kind_check,
    ADD CONSTRAINT money_moves_kind_check CHECK (kind IN ('capture', 'refund', 'charge'))
"""


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDONE)
