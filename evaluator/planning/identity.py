"""What a run asks, decided before the first call: which tasks, which instances, and the identity of it all.

A run's id is the hash of its frozen specification, so the same command is the same run.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from genlevel.benchmark.model import Suite, SuiteTask


@dataclass(frozen=True, slots=True)
class Specification:
    """What identifies a run (the fields of RunSpecification, with the model resolved).

    route: the fingerprint of what the model's route is configured to, "" if that says nothing beyond provider and model.
    parameters: the generation parameters a user set, as (name, value) pairs. structured_output: answers are held to JSON schemas. repeats:
        how often each instance is asked, if more than once; else 0. chosen: the hash of the instances that were chosen, "" if none were.
    occasion: what tells the run apart from others that ask the same; "" if nothing does.
    droppable: names of parameters that may be left out.
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
    repeats: int = 0
    chosen: str = ""
    occasion: str = ""
    droppable: tuple[str, ...] = ()


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
    for name in ("api", "video_frames", "route", "repeats", "chosen", "occasion", "droppable"):
        if not document[name]:
            del document[name]  # a run from before there was a choice keeps its id
    document["content"] = sorted(fingerprints)
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:12]


def is_partial(suite: Suite, chosen: Sequence[SuiteTask], *, sampled: bool) -> bool:
    """Whether less than the whole benchmark is asked. sampled: not all instances of these tasks are meant."""
    if sampled or len(chosen) < len(suite.tasks):
        return True
    listed = {task.task.id for task in chosen if task.task is not None}
    return len(listed) < len(suite.benchmark.tasks)
