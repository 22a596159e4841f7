"""Databases and disks that are away while a run goes on: nothing is lost, nothing is asked twice, and it is said in a line."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import Counter

import pytest
import yaml

from tests.integration.outages import Disk, Proxy, locked
from tests.integration.serving import PATIENCE_S, configuration, fetch, ports_of, wait_until_ready

SLOTS = 32
INSTANCES = 480
LATENCY_S = 0.15


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    small = Disk(folder)
    yield small
    small.close()


class Going:
    """A run that goes on in a process of its own, at a price; ``calls``: how often each question arrived at the upstream."""

    def __init__(self, genlevel, stub, suite, *, url="", out="data", patience_s=60.0, instances=INSTANCES):
        document = {
            "storage": {"url": url, "patience_s": patience_s},
            "accounts": {"stub": {"provider": "compatible", "base_url": stub.base_url}},
            "routes": {"stubbed": {"account": "stub", "model": "stub-1", "price": {"input": "1", "output": "4"}}},
        }
        (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
        self.genlevel, self.stub, self.out, self.instances = genlevel, stub, str(out), instances
        self.file = genlevel.folder / out / "genlevel.db"
        arguments = ("--suite", str(suite), "--concurrency", str(SLOTS), "--out", self.out, "--json")
        self.process = genlevel.start("eval", "--model", "stubbed", *arguments)

    @property
    def calls(self):
        return Counter(question for _outcome, question in self.stub.calls())

    def wait_for_calls(self, count=4 * SLOTS):
        deadline = time.monotonic() + PATIENCE_S
        while self.calls.total() < count:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def end(self, timeout_s=150):
        stdout, stderr = self.process.communicate(timeout=timeout_s)
        assert not re.search(r"Traceback|never retrieved|Exception|\.py\b", stderr), stderr
        return self.process.returncode, stdout, stderr

    def check_complete(self, stdout):
        result = json.loads(stdout)
        usage = result["usage"]
        assert result["instances"]["answered"] == self.instances
        assert result["tasks"][0]["score"] == 100
        assert usage["output_tokens"] == 2 * self.instances, "each answer counted once"
        assert usage["usd"] == pytest.approx((usage["input_tokens"] + 4 * usage["output_tokens"]) / 1e6)
        return result

    def check_nothing_lost(self):
        """It ended as if nothing had been: each question was asked once."""
        code, stdout, stderr = self.end()
        assert code == 0, stderr
        assert set(self.calls.values()) == {1}
        assert len(self.calls) == self.instances
        self.check_complete(stdout)
        return stderr

    def check_given_up(self, why):
        """It ended in one line that says why and what to do; what it left goes on from where it was."""
        code, _, stderr = self.end()
        assert code == 2, stderr
        told = [line for line in stderr.splitlines() if line.startswith("genlevel: ")]
        assert len(told) == 1, stderr
        assert re.search(why, told[0])
        assert re.search("`genlevel resume .*` continues it$", told[0]), told[0]
        lost = re.search(r"; (\d+) answers that had come, for \$0\.0\d+, could not be stored and are asked again", told[0])
        return told[0], int(lost[1]) if lost else 0

    def resume(self, told):
        run, asked = re.search(r"run (\w+) is incomplete", told)[1], self.calls.total()
        done = self.genlevel.run("resume", run, "--out", self.out, "--json", timeout_s=150)
        assert done.returncode == 0, done.stderr
        self.check_complete(done.stdout)
        return self.calls.total() - asked


@pytest.fixture
def begin(genlevel, stub_upstream, choice_suite):
    """Begins a run and waits until it is in its midst."""
    begun = []

    def start(**options):
        instances = options.get("instances", INSTANCES)
        going = Going(genlevel, stub_upstream(latency=LATENCY_S), choice_suite(instances), **options)
        begun.append(going)
        going.wait_for_calls()
        return going

    yield start
    for going in begun:
        if going.process.poll() is None:
            going.process.kill()
            going.process.communicate()


@contextlib.contextmanager
def no_calls_beyond_slots(going):
    """While storage is away, no more calls begin than there are slots."""
    before = going.calls.total()
    yield
    assert going.calls.total() - before <= SLOTS, "those that were about to begin"


@pytest.mark.slow
def test_a_lock_of_another_process_costs_nothing(begin):
    going = begin()
    with locked(going.file), no_calls_beyond_slots(going):
        time.sleep(3)
    going.check_nothing_lost()


@pytest.mark.soak
def test_a_lock_of_36_seconds_costs_nothing_and_is_said(begin):
    going = begin()
    with locked(going.file), no_calls_beyond_slots(going):
        time.sleep(36)
    said = going.check_nothing_lost()
    assert "on storage | waiting for storage: cannot use the database" in said
    assert "another process keeps it locked" in said


@pytest.mark.slow
def test_a_lock_that_stays_ends_a_run_in_one_line_and_it_goes_on_later(begin):
    going = begin(patience_s=2.0)
    with locked(going.file), no_calls_beyond_slots(going):
        began = time.monotonic()
        told, lost = going.check_given_up("another process keeps it locked, wait for it or stop it")
        assert time.monotonic() - began < 30
    assert 1 <= lost < 2 * SLOTS, told
    going.resume(told)
    assert going.calls.total() <= INSTANCES + 2 * SLOTS
    assert max(going.calls.values()) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 2])
def test_a_run_that_is_stopped_while_storage_is_away_tells_how_many_answers_are_lost(begin, signals):
    going = begin(patience_s=2.0)
    with locked(going.file):
        time.sleep(1)
        for _ in range(signals):
            going.process.terminate()
            time.sleep(0.3)
        code, _stdout, stderr = going.end()
    told = stderr.splitlines()[-1]
    lost = re.search(r"was stopped; (\d+) answers that had come, for \$0\.0\d+, could not be stored and are asked again; ", told)
    assert (code, lost is not None) == (130, True), stderr
    assert 1 <= int(lost[1]) <= 2 * SLOTS
    assert told.endswith("continues it")


@pytest.mark.slow
def test_a_folder_that_is_taken_away_and_brought_back_costs_nothing(begin):
    going = begin()
    elsewhere = going.genlevel.folder / "elsewhere"
    (going.genlevel.folder / "data").rename(elsewhere)
    with no_calls_beyond_slots(going):
        time.sleep(2)
    elsewhere.rename(going.genlevel.folder / "data")
    going.check_nothing_lost()


@pytest.mark.full
def test_a_full_disk_costs_nothing_once_there_is_room_again(begin, disk):
    going = begin(out=disk.folder / "data")
    with disk.full(going.process.pid), no_calls_beyond_slots(going):
        time.sleep(4)
    going.check_nothing_lost()


@pytest.mark.full
def test_a_file_system_that_is_read_only_for_a_while_costs_nothing(begin, disk):
    going = begin(out=disk.folder / "data")
    with disk.read_only(going.process.pid), no_calls_beyond_slots(going):
        time.sleep(4)
    going.check_nothing_lost()


@pytest.mark.full
def test_a_disk_that_stays_full_ends_a_run_in_one_line(begin, disk):
    going = begin(out=disk.folder / "data", patience_s=2.0)
    with disk.full(going.process.pid), no_calls_beyond_slots(going):
        told, lost = going.check_given_up("full; free some space" if disk.mounted else "disk I/O error")
    assert 1 <= lost < 2 * SLOTS, told
    going.resume(told)


@pytest.mark.full
def test_a_postgresql_that_is_restarted_costs_nothing(begin, own_postgresql):
    going = begin(url=own_postgresql.url)
    for count in (5, 7):
        with own_postgresql.stopped(), no_calls_beyond_slots(going):
            time.sleep(0.2)
        going.wait_for_calls(count * SLOTS)
    going.check_nothing_lost()


@pytest.mark.full
def test_a_postgresql_that_hangs_for_a_while_costs_nothing(begin, own_postgresql):
    going = begin(url=own_postgresql.url)
    with own_postgresql.hanging(), no_calls_beyond_slots(going):
        time.sleep(4)
    going.check_nothing_lost()


@pytest.mark.soak
@pytest.mark.parametrize("how", ["stopped", "hanging"])
def test_a_postgresql_that_is_away_for_45_seconds_costs_nothing_although_a_lease_lasts_30(begin, own_postgresql, how):
    going = begin(url=own_postgresql.url)
    with getattr(own_postgresql, how)(), no_calls_beyond_slots(going):
        time.sleep(45)
    going.check_nothing_lost()


@pytest.mark.full
def test_connections_that_are_cut_at_commit_lose_nothing_and_count_nothing_twice(begin, own_postgresql):
    proxy = Proxy(own_postgresql.socket)
    going = begin(url=f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")
    for cuts in range(1, 7):
        proxy.cut_commits = 1
        deadline = time.monotonic() + 20
        while proxy.cuts < cuts and going.process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert proxy.cuts >= 5
    going.check_nothing_lost()
    proxy.close()


@pytest.mark.full
def test_a_postgresql_that_stays_away_ends_a_run_in_one_line(begin, own_postgresql):
    going = begin(url=own_postgresql.url, patience_s=3.0, instances=2000)
    with own_postgresql.stopped(), no_calls_beyond_slots(going):
        _told, lost = going.check_given_up("is the server up")
    assert lost < 2 * SLOTS


@pytest.mark.soak
def test_a_postgresql_that_hangs_for_good_ends_a_run_in_one_line_and_it_goes_on_later(begin, own_postgresql):
    going = begin(url=own_postgresql.url, patience_s=3.0, instances=2000)
    with own_postgresql.hanging(), no_calls_beyond_slots(going):
        began = time.monotonic()
        told, lost = going.check_given_up("did not answer|no answer|timeout")
        assert time.monotonic() - began < 40
    assert lost < 2 * SLOTS
    time.sleep(35)  # its lease could not be given back
    going.resume(told)
    assert max(going.calls.values()) <= 2


@pytest.mark.full
def test_a_service_stops_within_its_grace_although_its_database_hangs(genlevel, stub_upstream, choice_suite, own_postgresql):
    stub = stub_upstream(latency=LATENCY_S)
    document = configuration(stub.base_url, genlevel.folder.parent, concurrency=SLOTS)
    document |= {"storage": {"url": own_postgresql.url, "patience_s": 60.0}, "grace_s": 3.0}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    http = ports_of(document, "http")["evaluator"]
    service = genlevel.start("up")
    wait_until_ready(service, http)
    command = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(3000)), "--concurrency", str(SLOTS))
    while 'outcome="answered"' not in fetch(http):
        time.sleep(0.1)
    with own_postgresql.hanging():
        time.sleep(1)
        began = time.monotonic()
        service.terminate()
        _, stderr = service.communicate(timeout=40)
        assert time.monotonic() - began < 30
    command.kill()
    command.communicate()
    assert not re.search(r"Traceback|never retrieved", stderr), stderr
    assert "the database does not answer" in stderr, stderr
