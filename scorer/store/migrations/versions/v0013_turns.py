"""Whose score of a task is kept if several scorers score it at once. Nobody scores one yet."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scorer_turns",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("task_key", sa.String, primary_key=True),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("kept", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("scorer_turns")
