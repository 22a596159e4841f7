"""Which instances are about the same thing, so that their answers together say less than as many about different things."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from genlevel.benchmark.model import Instance


def cluster_of(instance: Instance, key: str) -> str:
    """What the instance shares with others about the same thing: the hash of its media, else of its context; empty if it has neither.

    Media are told apart by their paths within the task's folder (key): the same file is the same medium, and none has to be read again.
    """
    shared = shared_by([file.path.as_posix() for file in instance.media], instance.context, key)
    return hashlib.sha256(shared.encode()).hexdigest() if shared else ""


def shared_by(media: Sequence[str], context: str, key: str) -> str:
    """What an instance of a task (key) shares with others about the same thing: its media's paths, else its context; "" = nothing."""
    shared = [path.rpartition(f"/{key}/")[2] for path in media] or [context]
    return "\n".join(shared) if any(shared) else ""
