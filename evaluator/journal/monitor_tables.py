"""The tables of monitors: what they are, their pools, ticks, alarms, deliveries and events."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, String, Table, Text

from evaluator.journal.tables import metadata

monitors = Table(
    "evaluator_monitors",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("uid", String(12), nullable=False),
    Column("specification", Text, nullable=False),  # MonitorSpecification as JSON
    Column("declared", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("paused", Integer, nullable=False),
    Column("phase", Integer, nullable=False),  # Phase
    Column("reason", Text, nullable=False),
    Column("next_due", Double),
    Column("asked", Integer, nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("open_tick", BigInteger, nullable=False),
    Column("missed", BigInteger, nullable=False),
    Column("last_ended", Double, nullable=False),
    Column("spent", BigInteger, nullable=False),  # nano-dollars, as the following
    Column("unknown", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("day_spent", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    Column("baseline", Integer, nullable=False),
    Column("baseline_run", String(40), nullable=False),
    Column("suite_hash", String(64), nullable=False),
    Column("watch", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("notes", Text, nullable=False),
)

pools = Table(
    "evaluator_monitor_pools",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("baseline", Integer, primary_key=True, autoincrement=False),
    Column("pool", LargeBinary, nullable=False),
)

ticks = Table(
    "evaluator_monitor_ticks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("baseline", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("begun", Double, nullable=False),
    Column("ended", Double),
    Column("outcome", Integer, nullable=False),  # TickEnd
    Column("reason", Text, nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("instances", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cost", BigInteger),
    Column("summary", LargeBinary),
)

alarms = Table(
    "evaluator_monitor_alarms",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("latch", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("raised", Double, nullable=False),
    Column("document", Text, nullable=False),
    Column("acknowledged", Double),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_evaluator_monitor_alarms_name", "name", "raised"),
)

deliveries = Table(
    "evaluator_monitor_deliveries",
    metadata,
    Column("alarm", String(100), primary_key=True),
    Column("destination", String(64), primary_key=True),
    Column("due", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("ended", Double),
    Column("arrived", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_evaluator_monitor_deliveries_ended", "ended"),
)

events = Table(
    "evaluator_monitor_events",
    metadata,
    Column("name", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("what", Text, nullable=False),
    Index("ix_evaluator_monitor_events_name", "name", "at"),
)
