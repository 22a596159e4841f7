"""Large media at once in a gateway of its own process: its memory stays within the bound of docs/security.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "performance" / "bench_media.py"
AT_ONCE = 16
CALLS_MIB = 4.0 * AT_ONCE
"""Of each call: a piece that is being sent or written, and what connections hold of it."""
MEDIA_MIB = 64.0
"""limits.media_bytes"""


@pytest.mark.soak
@pytest.mark.parametrize(
    ("way", "most_mib"),
    [
        ("chat blob", MEDIA_MIB + CALLS_MIB),
        ("edits blob", MEDIA_MIB + CALLS_MIB),
        ("speech made", CALLS_MIB),
        ("images made", 3 * MEDIA_MIB + CALLS_MIB),
    ],
)
@pytest.mark.parametrize("mib", [1, 8, 32])
def test_sixteen_media_at_once_stay_within_their_bound(way: str, most_mib: float, mib: int) -> None:
    command = [sys.executable, str(BENCH), "--json", "--at-once", str(AT_ONCE), "--mib", str(mib), "--ways", way]
    rows = [json.loads(line) for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]
    assert [row["method"] for row in rows] == ["Generate", "GenerateMany"]
    for row in rows:
        assert row["ended"] == {"OK": AT_ONCE}, row
        assert row["above_mib"] < most_mib, row
