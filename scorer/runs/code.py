"""Which code says verdicts: what it said is kept for that code alone."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_READ = frozenset((".py", ".json", ".yaml"))
_DESK = frozenset(("workbooks", "predictions", "reports"))
"""What the service never loads."""


@cache
def code_digest() -> str:
    """The sha256 of the files of the scorer's service and of the shipped benchmarks; "" if they cannot be read.

    Looks once, and is best asked before anything is computed: files that are replaced later say nothing of the code that runs.
    Libraries are not in it: with another numpy the last digits of a number may differ.
    """
    digest = hashlib.sha256()
    found = 0
    try:
        for room in ("scorer", "genlevel/benchmark"):
            files = ((file.relative_to(_ROOT), file) for file in (_ROOT / room).rglob("*") if file.suffix in _READ)
            for name, file in sorted((name, file) for name, file in files if name.parts[1] not in _DESK):
                content = file.read_bytes()
                digest.update(f"{name} {len(content)}\n".encode() + content)
                found += 1
    except OSError:
        return ""
    return digest.hexdigest() if found else ""
