"""Which try of its model a run is: its number, and the model and the tasks by which earlier tries are found.

The runs that are there have no number: it is not told, and they count as earlier tries in the order in which they were made.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FILL = sa.text("UPDATE evaluator_runs SET model = :model, covers = :covers WHERE run_id = :run_id")


def upgrade() -> None:
    with op.batch_alter_table("evaluator_runs") as runs:
        runs.add_column(sa.Column("model", sa.Text, nullable=False, server_default=""))
        runs.add_column(sa.Column("covers", sa.Text, nullable=False, server_default="[]"))
        runs.add_column(sa.Column("plan_number", sa.Integer, nullable=False, server_default="0"))
        runs.create_index("ix_evaluator_runs_model", ["model", "benchmark"])
    connection = op.get_bind()
    for run_id, specification, plan in connection.execute(sa.text("SELECT run_id, specification, plan FROM evaluator_runs")).all():
        covers = json.dumps([key for key, _count in json.loads(plan)])
        connection.execute(_FILL, {"run_id": run_id, "model": json.loads(specification).get("model", ""), "covers": covers})


def downgrade() -> None:
    with op.batch_alter_table("evaluator_runs") as runs:
        runs.drop_index("ix_evaluator_runs_model")
        for name in ("plan_number", "covers", "model"):
            runs.drop_column(name)
