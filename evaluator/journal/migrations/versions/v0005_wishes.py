"""What is wanted of a run, and how its continued starts fare. Of all that is there nothing is wanted: nobody continues it by himself."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBERS = ("wanted", "wishes", "at_once", "retry_failed", "judge_only", "vain_starts")


def upgrade() -> None:
    with op.batch_alter_table("evaluator_runs") as runs:
        for name in _NUMBERS:
            runs.add_column(sa.Column(name, sa.Integer, nullable=False, server_default="0"))
        runs.add_column(sa.Column("continued", sa.Float, nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("evaluator_runs") as runs:
        runs.drop_column("continued")
        for name in reversed(_NUMBERS):
            runs.drop_column(name)
