"""Which of a suite's tasks are meant, and what is to be said of these alone."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence

from genlevel.benchmark.model import Suite, SuiteTask
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted


def matching_tasks(suite: Suite, pattern: str) -> tuple[SuiteTask, ...]:
    """The tasks whose key, folder or name matches the glob (several may be given with commas; empty = all).

    Raises:
        UsageError: nothing matches; names the nearest ones.
    """
    if not pattern:
        return suite.tasks
    globs = [glob.strip().casefold() for glob in pattern.split(",") if glob.strip()]

    def names(task: SuiteTask) -> tuple[str, ...]:
        return task.key, task.key.rsplit("/", 1)[-1], task.name.strip()

    chosen = tuple(
        task for task in suite.tasks if any(fnmatch.fnmatchcase(name.casefold(), glob) for glob in globs for name in names(task))
    )
    if not chosen:
        written = {name.casefold(): name for task in suite.tasks for name in names(task)}
        near = difflib.get_close_matches(pattern.casefold(), written, n=3, cutoff=0.4)
        hint = f"; near: {', '.join(written[name] for name in near)}" if near else ""
        raise UsageError(f"--tasks {quoted(pattern)} matches none of the {len(suite.tasks)} tasks of suite {suite.name!r}{hint}")
    return chosen


def problems_of(suite: Suite, chosen: Sequence[SuiteTask]) -> list[str]:
    """The suite's problems, less those of tasks that were not chosen; problems of no task stay."""
    keys = {task.key for task in chosen}
    others = tuple(f"{task.key}: " for task in suite.tasks if task.key not in keys)
    return [problem for problem in suite.problems if not problem.startswith(others)]
