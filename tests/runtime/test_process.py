"""The name of a process is its own and stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from genlevel.runtime.process import process_name

_ASK = "from genlevel.runtime.process import process_name; print(process_name())"


def test_the_name_stays_and_another_process_has_another() -> None:
    name = process_name()
    assert re.fullmatch(rf"process {os.getpid()} on \S+ \([0-9a-f]{{8}}\)", name)
    assert process_name() == name
    other = subprocess.run([sys.executable, "-c", _ASK], check=True, capture_output=True, text=True).stdout.strip()
    assert other.startswith("process ")
    assert other != name
