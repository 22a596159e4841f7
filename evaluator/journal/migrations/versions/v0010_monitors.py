"""What tells apart runs that ask the same, such as a monitor's ticks. Nothing does of runs that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluator_runs", sa.Column("occasion", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_evaluator_runs_occasion", "evaluator_runs", ["occasion", "model", "benchmark"])


def downgrade() -> None:
    op.drop_index("ix_evaluator_runs_occasion", "evaluator_runs")
    op.drop_column("evaluator_runs", "occasion")
