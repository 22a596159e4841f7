"""Which of a suite's tasks are meant, and what is to be said of these alone."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Callable, Sequence

from genlevel.benchmark.model import Suite, SuiteTask
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted

# Whoever may plan a run chooses the pattern, which is looked at on a service's loop.
MOST_CHARACTERS = 100_000
MOST_GLOBS = 100
LONGEST_GLOB = 200
_WILD = re.compile(r"[*?\[]").search


def matching_tasks(suite: Suite, pattern: str) -> tuple[SuiteTask, ...]:
    """The tasks whose key, folder or name matches the glob (several may be given with commas; empty = all).

    Raises:
        UsageError: nothing matches; names the nearest ones. The pattern is too long, or has too many wildcards.
    """
    if not pattern:
        return suite.tasks
    is_meant = meant_by(pattern, "--tasks")

    def names(task: SuiteTask) -> tuple[str, ...]:
        return task.key, task.key.rsplit("/", 1)[-1], task.name.strip()

    chosen = tuple(task for task in suite.tasks if any(map(is_meant, names(task))))
    if not chosen:
        written = {name.casefold(): name for task in suite.tasks for name in names(task)}
        near = difflib.get_close_matches(pattern[:LONGEST_GLOB].casefold(), written, n=3, cutoff=0.4)
        hint = f"; near: {', '.join(written[name] for name in near)}" if near else ""
        raise UsageError(f"--tasks {quoted(pattern)} matches none of the {len(suite.tasks)} tasks of suite {suite.name!r}{hint}")
    return chosen


def meant_by(pattern: str, option: str) -> Callable[[str], bool]:
    """Says of a task's key, folder or name whether the glob (several may be given with commas) means it, in any case.

    option: as messages name it. Raises UsageError for a pattern that is too long, or has too many wildcards.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise UsageError(f"{option} has {len(pattern):,} characters; take at most {MOST_CHARACTERS:,}")
    globs = {glob.strip().casefold() for glob in pattern.split(",")} - {""}
    wild_ones = [glob for glob in globs if _WILD(glob)]
    if len(wild_ones) > MOST_GLOBS or any(len(glob) > LONGEST_GLOB for glob in wild_ones):
        said = f"take at most {MOST_GLOBS}, of {LONGEST_GLOB} characters each, or name the tasks"
        raise UsageError(f"{option} has too many or too long patterns with wildcards; {said}")
    wild = [re.compile(fnmatch.translate(glob)).match for glob in wild_ones]

    def is_meant(name: str) -> bool:
        folded = name.casefold()
        return folded in globs or any(match(folded) for match in wild)

    return is_meant


def problems_of(suite: Suite, chosen: Sequence[SuiteTask]) -> list[str]:
    """The suite's problems, less those of tasks that were not chosen; problems of no task stay."""
    keys = {task.key for task in chosen}
    others = tuple(f"{task.key}: " for task in suite.tasks if task.key not in keys)
    return [problem for problem in suite.problems if not problem.startswith(others)]
