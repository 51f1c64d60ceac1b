"""Claims and deadlines are found by their key. A parameter cannot be proved to be other than '', so an index with that condition is of no use to a
plan that is kept: claims were searched for from end to end."""

from alembic import op

from migrations import quietly

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    quietly.index("reservations_of_claim", "reservations", "(claim)")
    quietly.index("deadlines_subject", "deadlines", "(subject_id)")
    _drop("reservations_claim")


def downgrade() -> None:
    quietly.index("reservations_claim", "reservations", "(claim) WHERE claim <> ''")
    _drop("reservations_of_claim")
    _drop("deadlines_subject")


def _drop(name: str) -> None:
    with op.get_context().autocommit_block():
        op.get_bind().exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
