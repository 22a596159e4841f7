"""Judgements of a judge model, who judges a run, and ratings by people."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluator_judgements",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("instance_id", sa.Text, primary_key=True),
        sa.Column("judge", sa.Text, primary_key=True),
        sa.Column("prompt_hash", sa.String(12), primary_key=True),
        sa.Column("prompt_version", sa.Text, nullable=False),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("rating", sa.Double),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("replies", sa.Integer, nullable=False),
        sa.Column("error_class", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "evaluator_run_judges",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("prompts", sa.Text, nullable=False),
        sa.Column("complete", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "evaluator_people_ratings",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("instance_id", sa.Text, primary_key=True),
        sa.Column("rater", sa.Text, primary_key=True),
        sa.Column("rating", sa.Double, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("evaluator_people_ratings")
    op.drop_table("evaluator_run_judges")
    op.drop_table("evaluator_judgements")
