"""A task that ends a step goes on with its run's next one, in one round trip and one commit."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"


SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((SQL / "0020_going_on.sql").read_text())


def downgrade() -> None:
    before = (SQL / "0009_moves.sql").read_text()
    began = before.index("CREATE FUNCTION open_what_waited")
    told = before[began : before.index("$$;", began) + 3].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    op.get_bind().exec_driver_sql(told)
    for name in ("close_run", "conclude_step", "feed_few"):
        op.get_bind().exec_driver_sql(f"ALTER FUNCTION {name} RESET enable_seqscan")
    for name in ("open_up", "conclude_done", "move_part", "go_on", "first_in_line", "take_step"):
        op.get_bind().exec_driver_sql(f"DROP FUNCTION {name}")
    op.get_bind().exec_driver_sql("DROP TYPE step_taken")
