"""An index of answers by outcome, score and text. Runs that are there are indexed when they are first searched."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluator_scored",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("begun", sa.Double, nullable=False),
        sa.Column("open", sa.Integer, nullable=False),
        sa.Column("answers", sa.BigInteger, nullable=False),
        sa.Column("with_scores", sa.Integer, nullable=False),
    )
    op.create_table(
        "evaluator_scored_blocks",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("answers", sa.Integer, nullable=False),
        sa.Column("best", sa.Double),
        sa.Column("outcomes", sa.LargeBinary, nullable=False),
        sa.Column("rightness", sa.LargeBinary, nullable=False),
        sa.Column("scores", sa.LargeBinary, nullable=False),
        sa.Column("costs", sa.LargeBinary, nullable=False),
        sa.Column("seconds", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.LargeBinary, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("questions", sa.LargeBinary, nullable=False),
        sa.Column("ends", sa.LargeBinary, nullable=False),
        sa.Column("texts", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("evaluator_scored_blocks")
    op.drop_table("evaluator_scored")
