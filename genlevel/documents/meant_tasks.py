"""Which of a run's scored tasks a glob means."""

from __future__ import annotations

from genlevel.benchmark.selection import meant_by
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import scorer_pb2 as sc

NO_SCORES = "single instances have no score by this metric; --failures lists those that could not be read"


def meant_tasks(verdict: sc.GetVerdictResponse, pattern: str) -> list[sc.TaskScore]:
    """The scored tasks that a glob means; all if it is empty. Raises UsageError if it means none."""
    if not pattern:
        return list(verdict.tasks)
    is_meant = meant_by(pattern, "--task")
    found = [
        score for score in verdict.tasks if any(map(is_meant, (score.task.key, score.task.key.rpartition("/")[2], score.task.name.strip())))
    ]
    if not found:
        raise UsageError(f"--task {quoted(pattern)} matches none of the {len(verdict.tasks)} scored tasks of run {verdict.run_id}")
    return found
