"""What stores are asked for and what lies in quarantine, each found by an index of its own."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0014_faces.sql").read_text())


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP INDEX fulfilments_open, return_requests_quarantine")
