"""What was voided of a till's sale before its day was booked is no part of that booking."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE day_sales ADD COLUMN voids text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE day_sales DROP COLUMN voids")
