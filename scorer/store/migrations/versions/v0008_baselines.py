"""What the questions of a task give away: chance and the best constant answer. Of the scores that are there it is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("chance", "best_constant"):
        op.add_column("scorer_task_scores", sa.Column(name, sa.Double))


def downgrade() -> None:
    for name in ("best_constant", "chance"):
        op.drop_column("scorer_task_scores", name)
