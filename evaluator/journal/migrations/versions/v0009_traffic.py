"""What the calls of runs were like over time, and what was learnt of each account's limits. Of runs that are there nothing is known."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluator_traffic",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("start_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("width_s", sa.BigInteger, nullable=False),
        sa.Column("seen_s", sa.Double, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("limited", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("account_calls", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("in_flight_s", sa.Double, nullable=False),
        sa.Column("concurrency_s", sa.Double, nullable=False),
        sa.Column("paced_s", sa.Double, nullable=False),
        sa.Column("paced_calls", sa.Double, nullable=False),
        sa.Column("stated", sa.Integer, nullable=False),
        sa.Column("waits_s", sa.Text, nullable=False),
    )
    op.create_table(
        "evaluator_accounts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("learnt", sa.Text, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("evaluator_accounts")
    op.drop_table("evaluator_traffic")
