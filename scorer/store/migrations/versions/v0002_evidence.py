"""What certificates need of a task's statistics, kept beside its score."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_task_scores", sa.Column("evidence", sa.Text))


def downgrade() -> None:
    op.drop_column("scorer_task_scores", "evidence")
