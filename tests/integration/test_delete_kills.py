"""A deletion whose process is killed at each of its steps: the run is there as it was, or not at all, and the next deletion ends it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.killed_at import DELETING

WHOLE = ("all of it is removed", "its files are about to be forgotten")
pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with two runs, of which one has a picture that the other one has, and one of its own."""
    from evaluator.journal.journal import Journal
    from evaluator.journal.records import Answer
    from genlevel.benchmark.outcomes import Outcome
    from genlevel.runtime.blobs import BlobStore
    from genlevel.runtime.loop import run
    from genlevel.runtime.storage import sqlite_url
    from tests.evaluator.journal.test_plan_numbers import record

    folder = tmp_path_factory.mktemp("kept")

    async def fill():
        journal, blobs = Journal(sqlite_url(folder / "genlevel.db")), BlobStore.open(folder / "blobs")
        both, own = (blobs.put(content) for content in (b"both", b"own"))
        for run_id, files in (("aaaa", [both, own]), ("bbbb", [both])):
            journal.create_run(record(run_id))
            text = json.dumps([[file.sha256, file.size_bytes, "image/png"] for file in files])
            await journal.record(Answer(run_id, "nlp/x", "i", Outcome.ANSWERED, files=text))
        journal.close()

    run(fill())
    for file in (folder / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (1.0, 1.0))
    return folder


def counted(folder, run_id):
    with sqlite3.connect(folder / "genlevel.db") as database:
        return database.execute("select count(*) from evaluator_answers where run_id = ?", (run_id,)).fetchone()[0]


@pytest.mark.parametrize("step", DELETING)
def test_a_deletion_that_is_killed_is_ended_by_the_next(kept, tmp_path, step):
    folder = tmp_path / "data"
    shutil.copytree(kept, folder, copy_function=shutil.copy2)

    def genlevel(*command, killed=""):
        start = [str(Path(__file__).with_name("killed_at.py")), killed, "1"] if killed else ["-m", "genlevel"]
        command = [sys.executable, *start, *command, "--out", str(folder), "--json"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    killed = genlevel("delete", "aaaa", "--yes", killed=step)
    assert killed.returncode == -9, killed.stderr
    there = [run["run"] for run in json.loads(genlevel("runs").stdout)]
    if step == "a run is about to be taken out":
        assert there == ["bbbb", "aaaa"]
        assert counted(folder, "aaaa") == 1
    else:
        assert there == ["bbbb"]
    if step != "its answers are removed":  # else the next deletion of another run ends it
        ended = genlevel("delete", "aaaa", "--yes")
        assert (ended.returncode == 0) == (step not in WHOLE) == ("was deleted before" not in ended.stderr)
    assert genlevel("delete", "bbbb", "--yes").returncode == 0, "which also removes what is left"
    assert [counted(folder, run) for run in ("aaaa", "bbbb")] == [0, 0]
    assert [file for file in (folder / "blobs").rglob("*") if file.is_file()] == []
