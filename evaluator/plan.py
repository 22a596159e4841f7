"""What a run asks, decided before the first call: which tasks, which instances, and the identity of it all.

A run's id is the hash of its frozen specification, so the same command is the same run.
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from genlevel.benchmark.model import Suite, SuiteTask
from genlevel.runtime.errors import UsageError


@dataclass(frozen=True, slots=True)
class Specification:
    """What identifies a run (the fields of RunSpecification, with the model resolved).

    route: the fingerprint of what the model's route is configured to, "" where that says nothing beyond provider and model.
    parameters: the generation parameters a user set, as (name, value) pairs. structured_output: answers are held to JSON schemas.
    """

    model: str
    provider: str
    provider_model: str
    base_url: str
    suite: str
    limit: int
    seed: int
    parameters: tuple[tuple[str, str], ...]
    prompt_version: str
    structured_output: bool = False
    api: str = ""
    video_frames: int = 0
    route: str = ""


def select_tasks(suite: Suite, pattern: str) -> tuple[SuiteTask, ...]:
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
        raise UsageError(f"--tasks {pattern!r} matches none of the {len(suite.tasks)} tasks of suite {suite.name!r}{hint}")
    return chosen


def sample_positions(task_key: str, count: int, limit: int, seed: int) -> Sequence[int] | None:
    """Positions of a seeded sample of ``limit`` of ``count`` instances, ascending; None = all of them."""
    if not limit or limit >= count:
        return None
    return sorted(random.Random(f"{seed}:{task_key}").sample(range(count), limit))


def run_id(specification: Specification, fingerprints: Iterable[tuple[str, str]]) -> str:
    """The identity of a run: 12 hexadecimal digits of its specification's hash.

    Args:
        fingerprints: (task key, hash of its annotations) of every task asked.
    """
    document = asdict(specification)
    if not specification.limit:
        document["seed"] = 0  # nothing is sampled
    for name in ("api", "video_frames", "route"):
        if not document[name]:
            del document[name]  # a run of before there was a choice keeps its id
    document["content"] = sorted(fingerprints)
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:12]


def is_partial(suite: Suite, chosen: Sequence[SuiteTask], limit: int) -> bool:
    """Whether less than the whole benchmark is asked."""
    if limit or len(chosen) < len(suite.tasks):
        return True
    listed = {task.task.id for task in chosen if task.task is not None}
    return len(listed) < len(suite.benchmark.tasks)
