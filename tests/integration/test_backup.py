"""A copy of the database and of the blobs, made while a run goes on, is one from which the run goes on (docs/operations.md)."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing

import pytest
import yaml

from tests.integration.serving import PATIENCE_S

INSTANCES, SLOTS = 100, 8


def going(genlevel, stub, suite, *, url, out):
    """A run in a process of its own that has answered some of its instances."""
    document = {
        "storage": {"url": url},
        "accounts": {"stub": {"provider": "compatible", "base_url": stub.base_url}},
        "routes": {"stubbed": {"account": "stub", "model": "stub-1", "price": {"input": "1", "output": "4"}}},
    }
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    command = ("eval", "--model", "stubbed", "--suite", str(suite), "--concurrency", str(SLOTS), "--out", out, "--json")
    process, deadline = genlevel.start(*command), time.monotonic() + PATIENCE_S
    while len(stub.calls()) < INSTANCES // 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process, command


def check_goes_on(genlevel, stub, command, kept):
    """What the copy does not have is asked again, nothing else."""
    before = Counter(question for _, question in stub.calls())
    done = genlevel.run(*command)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instances"]["answered"] == INSTANCES
    asked_again = sum(Counter(question for _, question in stub.calls()).values()) - before.total()
    assert asked_again == INSTANCES - kept
    assert 0 < kept < INSTANCES


def test_a_copy_of_an_sqlite_file_made_while_a_run_goes_on_is_whole(genlevel, stub_upstream, choice_suite, tmp_path):
    stub, suite = stub_upstream(latency=0.05), choice_suite(INSTANCES)
    process, command = going(genlevel, stub, suite, url="", out="data")
    file, copy = genlevel.folder / "data" / "genlevel.db", tmp_path / "backup.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        (kept,) = target.execute("SELECT count(*) FROM evaluator_answers").fetchone()
    assert process.poll() is None, "it goes on meanwhile"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shutil.rmtree(genlevel.folder / "data")
    (genlevel.folder / "data").mkdir()
    shutil.copy(copy, file)
    check_goes_on(genlevel, stub, command, kept)


@pytest.mark.full
def test_a_dump_of_a_postgresql_made_while_a_run_goes_on_is_whole(genlevel, stub_upstream, choice_suite, *, postgresql, postgresql_server):
    def tool(name, *arguments, given=None):
        command = [str(postgresql_server.bin_path / name), *arguments]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout

    stub, suite = stub_upstream(latency=0.05), choice_suite(INSTANCES)
    process, command = going(genlevel, stub, suite, url=postgresql, out="data")
    dump = tool("pg_dump", "--format=custom", postgresql)
    assert process.poll() is None, "it goes on meanwhile"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    tool("pg_restore", "--clean", "--if-exists", f"--dbname={postgresql}", given=dump)
    tool("psql", "-c", "UPDATE runtime_leases SET until_s = until_s - 3600", postgresql)  # copies are put back later
    counted = tool("psql", "-At", "-c", "SELECT count(*) FROM evaluator_answers", postgresql)
    check_goes_on(genlevel, stub, command, int(counted))
