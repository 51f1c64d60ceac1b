"""What an order's channel told last; which listener rests; what an answer under an Idempotency-Key says when it is given again."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0014"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0019_told.sql").read_text())


UNDONE = """
ALTER TABLE subjects DROP COLUMN told;
ALTER TABLE listeners DROP COLUMN failures, DROP COLUMN rests_until;
ALTER TABLE api_answers DROP COLUMN headers, DROP COLUMN kept
"""


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDONE)
