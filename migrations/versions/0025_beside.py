"""What somebody asks for beside an order's course (its cancellation in the channel) holds none of its later steps up, refused or not."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"


BEFORE = (Path(__file__).parents[1] / "sql" / "0021_laying_out.sql").read_text()
NOBODY_WAITS = {
    "SELECT id, subject_id, account, role FROM": "SELECT id, subject_id, account, role, name FROM",
    "OR role <> 'notify' AND account": "OR role <> 'notify' AND name <> 'cancel_sale' AND account",
    "held.role <> 'notify' AND held.account": "held.role <> 'notify' AND held.name <> 'cancel_sale' AND held.account",
}


def upgrade() -> None:
    function = BEFORE
    for was, now in NOBODY_WAITS.items():
        if was not in function:
            raise ValueError(f"0021 has no {was!r}")
        function = function.replace(was, now)
    _replace(function)


def downgrade() -> None:
    _replace(BEFORE)


def _replace(function: str) -> None:
    op.get_bind().exec_driver_sql(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
