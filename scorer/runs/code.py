"""Which code says verdicts: what it said is kept for that code alone."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_READ = frozenset((".py", ".json", ".yaml"))


@cache
def code_digest() -> str:
    """The sha256 of all files of the scorer and of the shipped benchmarks; "" if they cannot be read, as of a package without sources.

    Looks once, and is best asked before anything is computed: files that are replaced later say nothing of the code that runs.
    Libraries are not in it: with another numpy the last digits of a number may differ.
    """
    digest = hashlib.sha256()
    found = 0
    try:
        for room in ("scorer", "genlevel/benchmark"):
            for file in sorted(file for file in (_ROOT / room).rglob("*") if file.suffix in _READ):
                content = file.read_bytes()
                digest.update(f"{file.relative_to(_ROOT)} {len(content)}\n".encode() + content)
                found += 1
    except OSError:
        return ""
    return digest.hexdigest() if found else ""
