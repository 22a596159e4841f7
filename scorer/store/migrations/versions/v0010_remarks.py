"""How answers were read that could mean several things. Scores that are there have no such remarks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_task_scores", sa.Column("remarks", sa.Text, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("scorer_task_scores", "remarks")
