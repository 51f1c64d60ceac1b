"""The journal, its accounts, its catalogue and its stock."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        (Path(__file__).parents[1] / "sql" / "0001_journal.sql").read_text().replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("The journal is never dropped by a migration; `make clean` forgets a local one.")
