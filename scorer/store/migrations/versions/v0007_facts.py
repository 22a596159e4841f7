"""How a run was asked, for its stamp. It is unknown for the runs that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_runs", sa.Column("facts", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("scorer_runs", "facts")
