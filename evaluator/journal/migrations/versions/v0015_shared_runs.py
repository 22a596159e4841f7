"""Runs that many evaluators share: their work, who does it, and who asked for an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("evaluator_answers", "evaluator_reservations"):
        op.add_column(table, sa.Column("member", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "evaluator_work",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("needs", sa.Text, nullable=False, server_default=""),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("member", sa.Integer, nullable=False, server_default="0"),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("ix_evaluator_work_state", "evaluator_work", ["run_id", "state"])
    op.create_table(
        "evaluator_members",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("lease", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("granted_nano_usd", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("granted_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("settled_nano_usd", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("settled_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("wanting", sa.Integer, nullable=False, server_default="0"),
        sa.Column("excess", sa.Text, nullable=False, server_default=""),
        sa.Column("counts", sa.Text, nullable=False, server_default="{}"),
        sa.Column("ending", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("ix_evaluator_members_state", "evaluator_members", ["state"])
    _money()


def _money() -> None:
    """What members have spent, and what was spent beside them."""
    op.create_table(
        "evaluator_purses",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("through", sa.Integer, nullable=False),
        sa.Column("base_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("base_tokens", sa.BigInteger, nullable=False),
        sa.Column("excess", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "evaluator_member_spending",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("member", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("known_nano_usd", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("known_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("most_nano_usd", sa.BigInteger),
        sa.Column("most_tokens", sa.BigInteger),
        sa.Column("calls_nano_usd", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("calls_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("worst_nano_usd", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("worst_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("excess", sa.Double, nullable=False, server_default="0"),
    )


def downgrade() -> None:
    op.drop_table("evaluator_member_spending")
    op.drop_table("evaluator_purses")
    op.drop_table("evaluator_members")
    op.drop_table("evaluator_work")
    for table in ("evaluator_reservations", "evaluator_answers"):
        op.drop_column(table, "member")
