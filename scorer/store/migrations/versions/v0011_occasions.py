"""What tells apart runs that ask the same, such as a monitor's ticks: none is a model's current run. None is there yet."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scorer_runs", sa.Column("occasion", sa.String, nullable=False, server_default=""))
    op.drop_index("scorer_runs_by_model", "scorer_runs")
    op.create_index("scorer_runs_current", "scorer_runs", ["occasion", "model", "suite", "updated_s"])


def downgrade() -> None:
    op.drop_index("scorer_runs_current", "scorer_runs")
    op.create_index("scorer_runs_by_model", "scorer_runs", ["model", "suite", "updated_s"])
    op.drop_column("scorer_runs", "occasion")
