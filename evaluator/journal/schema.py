"""What the evaluator's tables are to be, and of which older code they can be used."""

from __future__ import annotations

from pathlib import Path

from evaluator.journal import migrations, monitor_tables
from evaluator.journal.tables import HEAD
from genlevel.runtime.schema import Schema

SCHEMA = Schema("evaluator", HEAD, Path(migrations.__path__[0]) / "versions", monitor_tables.monitors.metadata, oldest="0015")
