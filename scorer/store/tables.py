"""The scorer's tables, as of the newest step of its migrations."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

from genlevel.runtime.schema import Schema
from scorer.store import migrations

HEAD = "0013"
metadata = MetaData()
SCHEMA = Schema("scorer", HEAD, Path(migrations.__path__[0]) / "versions", metadata, oldest="0012")

runs = Table(
    "scorer_runs",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("suite", String, nullable=False),
    Column("benchmark", String, nullable=False),
    # A serialised ScoreTaskHeader with the tasks of a benchmark that is not shipped; empty for shipped ones.
    Column("benchmark_tasks", LargeBinary, nullable=False),
    Column("updated_s", Double, nullable=False),
    # Of the suite's content; empty if it is not known.
    Column("suite_hash", String, nullable=False, server_default=""),
    # Whether less than the whole suite is asked. Absent in rows from before that was told.
    Column("part", Boolean),
    # Which try of the model on its tasks it is; 0 in rows from before that was told.
    Column("plan", Integer, nullable=False, server_default="0"),
    # A serialised RunFacts. Absent in rows from before these were told.
    Column("facts", LargeBinary),
    # As its facts have it: what only a monitor's tick has, which is nobody's current run.
    Column("occasion", String, nullable=False, server_default=""),
    Index("scorer_runs_current", "occasion", "model", "suite", "updated_s"),
)
task_scores = Table(
    "scorer_task_scores",
    metadata,
    Column("run_id", String, ForeignKey("scorer_runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("task_key", String, primary_key=True),
    Column("description", LargeBinary, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("score", Double),
    Column("lower", Double),
    Column("upper", Double),
    Column("standard_error", Double),
    Column("counts", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("unparsable_ids", Text, nullable=False),
    # Of each answer; scores, comparisons and intervals follow from it (see ``encoded_statistics``).
    Column("statistics", LargeBinary, nullable=False),
    Column("parser_version", String, nullable=False),
    Column("scored_s", Double, nullable=False),
    # What certificates need of the statistics (see ``encoded_evidence``). Absent in rows from before there were certificates.
    Column("evidence", Text),
    # What was read in each answer, and why others were not read or measured (see ``scorer.scoring.readings.KeptReadings``). Absent in rows
    # from before that was kept.
    Column("readings", LargeBinary),
    Column("reasons", LargeBinary),
    # Of a task of choices or labels; absent in rows from before they were computed.
    Column("chance", Double),
    Column("best_constant", Double),
    # How much answers to the same question vary; absent if each was asked once.
    Column("differing", Double),
    Column("deviation", Double),
    # JSON, a list: how answers were read that could mean several things.
    Column("remarks", Text, nullable=False, server_default="[]"),
)
# Whoever scores a task takes a turn as it begins (see ``scorer.store.turns``).
turns = Table(
    "scorer_turns",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("task_key", String, primary_key=True),
    # The turn of the last that began, and of the one whose score is kept.
    Column("begun", BigInteger, nullable=False),
    Column("kept", BigInteger, nullable=False),
)
verdicts = Table(
    "scorer_verdicts",
    metadata,
    Column("run_id", String, ForeignKey("scorer_runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("reference_set", String, primary_key=True),
    # The code that computed it (see ``scorer.runs.code``), and ``scorer_runs.updated_s`` as it was before the scores were read: it is valid
    # for exactly these.
    Column("code", String, nullable=False),
    Column("updated_s", Double, nullable=False),
    # A serialised ListStandingsResponse, and a compressed GetVerdictResponse.
    Column("standing", LargeBinary, nullable=False),
    Column("verdict", LargeBinary, nullable=False),
)
