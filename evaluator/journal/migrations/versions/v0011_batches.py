"""Batches that runs have handed to providers, and what is asked in them. Of runs that are there none was."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluator_batches",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("batch_id", sa.Text, nullable=False, server_default=""),
        sa.Column("items", sa.Integer, nullable=False, server_default="0"),
        sa.Column("answered", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False, server_default="0"),
        sa.Column("parameters", sa.Text, nullable=False, server_default="[]"),
        sa.Column("cancel", sa.Integer, nullable=False, server_default="0"),
        sa.Column("cancelled", sa.Integer, nullable=False, server_default="0"),
        sa.Column("found", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("ix_evaluator_batches_state", "evaluator_batches", ["state"])
    op.create_table(
        "evaluator_batch_items",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.Integer, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("instance_id", sa.Text, nullable=False),
        *[sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in ("variant", "repeat", "shuffle")],
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("nano_usd", sa.BigInteger),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_evaluator_batch_items_batch", "evaluator_batch_items", ["run_id", "batch"])
    op.create_index("ix_evaluator_batch_items_key", "evaluator_batch_items", ["run_id", "task", "instance_id"])


def downgrade() -> None:
    op.drop_table("evaluator_batch_items")
    op.drop_table("evaluator_batches")
