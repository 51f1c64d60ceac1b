"""A place of a channel is told of more only once the others were told of less; a quick claim is told to every place."""

from pathlib import Path

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0028_raises.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE dirty DROP COLUMN sent, DROP COLUMN least, DROP COLUMN waits")
    op.get_bind().exec_driver_sql(
        "DROP FUNCTION claim_line(text, text, text, numeric, numeric, text, text[], text, text, double precision, text[], text[])"
    )
