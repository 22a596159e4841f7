"""Names, tags and notes of runs; what the answers of ended runs add up to; what is kept of deleted runs."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluator_runs", sa.Column("name", sa.Text, nullable=False, server_default=""))
    op.add_column("evaluator_runs", sa.Column("tags", sa.Text, nullable=False, server_default="[]"))
    op.add_column("evaluator_runs", sa.Column("notes", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "evaluator_run_sums",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("sums", sa.Text, nullable=False),
    )
    op.create_table(
        "evaluator_deleted_runs",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("deleted", sa.Double, primary_key=True),
        sa.Column("identity", sa.String(12), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("benchmark", sa.Text, nullable=False),
        sa.Column("covers", sa.Text, nullable=False),
        sa.Column("plan_number", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("first_answers", sa.Text, nullable=False),
        sa.Column("cleared", sa.Integer, nullable=False),
    )
    op.create_index("ix_evaluator_deleted_runs_identity", "evaluator_deleted_runs", ["identity"])
    op.create_index("ix_evaluator_deleted_runs_model", "evaluator_deleted_runs", ["model", "benchmark"])
    op.create_index("ix_evaluator_deleted_runs_cleared", "evaluator_deleted_runs", ["cleared"])
    op.create_table(
        "evaluator_unused_files",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("evaluator_unused_files", "evaluator_deleted_runs", "evaluator_run_sums"):
        op.drop_table(table)
    with op.batch_alter_table("evaluator_runs") as runs:
        for name in ("notes", "tags", "name"):
            runs.drop_column(name)
