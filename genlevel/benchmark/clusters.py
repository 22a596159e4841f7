"""Which instances are about the same thing, so that their answers together say less than as many about different things."""

from __future__ import annotations

import hashlib

from genlevel.benchmark.model import Instance


def cluster_of(instance: Instance, key: str) -> str:
    """What the instance shares with others about the same thing: the hash of its media, else of its context; empty if it has neither.

    Media are told apart by their paths within the task's folder (key): the same file is the same medium, and none has to be read again.
    """
    shared = [file.path.as_posix().rpartition(f"/{key}/")[2] for file in instance.media] or [instance.context]
    return hashlib.sha256("\n".join(shared).encode()).hexdigest() if any(shared) else ""
