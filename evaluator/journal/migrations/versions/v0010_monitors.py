"""What monitors need of runs and answers: the occasion that tells ticks apart, and what the provider said of the system that answered.

Runs and answers that are there have neither. What is to go on is looked for every few seconds, among all the ticks that there ever were.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluator_runs", sa.Column("occasion", sa.Text, nullable=False, server_default=""))
    op.add_column("evaluator_answers", sa.Column("fingerprint", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_evaluator_runs_wanted", "evaluator_runs", ["wanted"])
    op.create_index("ix_evaluator_runs_occasion", "evaluator_runs", ["occasion", "model", "benchmark"])
    _monitors()
    _what_became_of_them()


def _monitors() -> None:
    op.create_table(
        "evaluator_monitors",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("uid", sa.String(12), nullable=False),
        sa.Column("specification", sa.Text, nullable=False),
        sa.Column("declared", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.Integer, nullable=False),
        sa.Column("phase", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("next_due", sa.Double),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
        sa.Column("open_tick", sa.BigInteger, nullable=False),
        sa.Column("missed", sa.BigInteger, nullable=False),
        sa.Column("last_ended", sa.Double, nullable=False),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("unknown", sa.Integer, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("day_spent", sa.BigInteger, nullable=False),
        sa.Column("before", sa.BigInteger, nullable=False),
        sa.Column("baseline", sa.Integer, nullable=False),
        sa.Column("baseline_run", sa.String(40), nullable=False),
        sa.Column("suite_hash", sa.String(64), nullable=False),
        sa.Column("watch", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
    )
    op.create_table(
        "evaluator_monitor_pools",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("baseline", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("pool", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evaluator_monitor_ticks",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("baseline", sa.Integer, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("begun", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("instances", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("cost", sa.BigInteger),
        sa.Column("summary", sa.LargeBinary),
    )


def _what_became_of_them() -> None:
    op.create_table(
        "evaluator_monitor_alarms",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("latch", sa.Text, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("raised", sa.Double, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("acknowledged", sa.Double),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_evaluator_monitor_alarms_name", "evaluator_monitor_alarms", ["name", "raised"])
    op.create_table(
        "evaluator_monitor_deliveries",
        sa.Column("alarm", sa.String(100), primary_key=True),
        sa.Column("destination", sa.String(64), primary_key=True),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("arrived", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("ix_evaluator_monitor_deliveries_ended", "evaluator_monitor_deliveries", ["ended"])
    op.create_table(
        "evaluator_monitor_events",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
    )
    op.create_index("ix_evaluator_monitor_events_name", "evaluator_monitor_events", ["name", "at"])


def downgrade() -> None:
    for name in ("events", "deliveries", "alarms", "ticks", "pools"):
        op.drop_table(f"evaluator_monitor_{name}")
    op.drop_table("evaluator_monitors")
    op.drop_index("ix_evaluator_runs_occasion", "evaluator_runs")
    op.drop_index("ix_evaluator_runs_wanted", "evaluator_runs")
    op.drop_column("evaluator_answers", "fingerprint")
    op.drop_column("evaluator_runs", "occasion")
