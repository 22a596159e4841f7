"""What monitors need of runs and answers: the occasion that tells ticks apart, and what the provider said of the system that answered.

Runs and answers that are there have neither. What is to go on is looked for every few seconds, among all the ticks that there ever were.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluator_runs", sa.Column("occasion", sa.Text, nullable=False, server_default=""))
    op.add_column("evaluator_answers", sa.Column("fingerprint", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_evaluator_runs_wanted", "evaluator_runs", ["wanted"])
    op.create_index("ix_evaluator_runs_occasion", "evaluator_runs", ["occasion", "model", "benchmark"])


def downgrade() -> None:
    op.drop_index("ix_evaluator_runs_occasion", "evaluator_runs")
    op.drop_index("ix_evaluator_runs_wanted", "evaluator_runs")
    op.drop_column("evaluator_answers", "fingerprint")
    op.drop_column("evaluator_runs", "occasion")
