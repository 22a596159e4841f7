"""Which content of its suite a run is of, and whether it asks all of it. Both are unknown for the runs that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_runs", sa.Column("suite_hash", sa.String, nullable=False, server_default=""))
    op.add_column("scorer_runs", sa.Column("part", sa.Boolean))


def downgrade() -> None:
    op.drop_column("scorer_runs", "part")
    op.drop_column("scorer_runs", "suite_hash")
