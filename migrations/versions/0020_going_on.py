"""A task that ends a step goes on with its run's next one, in one round trip and one commit."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0013"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / "0020_going_on.sql").read_text())


def downgrade() -> None:
    for name in ("conclude_done", "move_part", "go_on", "first_in_line", "take_step"):
        op.get_bind().exec_driver_sql(f"DROP FUNCTION {name}")
    op.get_bind().exec_driver_sql("DROP TYPE step_taken")
