"""The fuzz of the services in small: `make soak` makes 20,000 calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "performance" / "fuzz_services.py"


@pytest.mark.slow
def test_no_well_formed_message_ends_unforeseen_or_fills_a_service() -> None:
    command = [sys.executable, str(SCRIPT), "--cases", "500", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "500 calls, 0 wrong" in done.stdout
