"""What was read in each answer, and why others were not, beside its statistics. Absent for the scores that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_task_scores", sa.Column("readings", sa.LargeBinary))
    op.add_column("scorer_task_scores", sa.Column("reasons", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("scorer_task_scores", "reasons")
    op.drop_column("scorer_task_scores", "readings")
