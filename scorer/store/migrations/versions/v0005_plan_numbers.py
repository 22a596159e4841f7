"""Which try of its model on its tasks a run is. It is not known for the runs that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_runs", sa.Column("plan", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("scorer_runs", "plan")
