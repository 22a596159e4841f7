"""How much answers to the same question vary. The tasks that are there asked each question once."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("differing", "deviation"):
        op.add_column("scorer_task_scores", sa.Column(name, sa.Double))


def downgrade() -> None:
    for name in ("deviation", "differing"):
        op.drop_column("scorer_task_scores", name)
