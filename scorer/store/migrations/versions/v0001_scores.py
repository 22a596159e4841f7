"""Runs and their tasks' scores."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scorer_runs",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("suite", sa.String, nullable=False),
        sa.Column("benchmark", sa.String, nullable=False),
        sa.Column("benchmark_tasks", sa.LargeBinary, nullable=False),
        sa.Column("updated_s", sa.Double, nullable=False),
    )
    op.create_index("scorer_runs_by_model", "scorer_runs", ["model", "suite", "updated_s"])
    op.create_table(
        "scorer_task_scores",
        sa.Column("run_id", sa.String, sa.ForeignKey("scorer_runs.run_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("task_key", sa.String, primary_key=True),
        sa.Column("description", sa.LargeBinary, nullable=False),
        sa.Column("partial", sa.Boolean, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("lower", sa.Double),
        sa.Column("upper", sa.Double),
        sa.Column("standard_error", sa.Double),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("unparsable_ids", sa.Text, nullable=False),
        sa.Column("statistics", sa.LargeBinary, nullable=False),
        sa.Column("parser_version", sa.String, nullable=False),
        sa.Column("scored_s", sa.Double, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("scorer_task_scores")
    op.drop_index("scorer_runs_by_model", "scorer_runs")
    op.drop_table("scorer_runs")
