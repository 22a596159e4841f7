"""A run whose process is killed again and again repeats no more than is promised, and loses nothing. Real processes.

The promise: of each kill at most twice the slots are asked again, of which at most the slots had not been answered; what was shown as done
is in the journal, and nothing is there twice.
"""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import time
from collections import Counter

import pytest

from tests.integration.serving import PATIENCE_S


def journalled(folder):
    """Ids of the instances that have an answer."""
    file = folder / "genlevel-data" / "genlevel.db"
    if not file.exists():
        return []
    with sqlite3.connect(file, timeout=30) as database:
        found = [f"{task}:{instance}" for task, instance in database.execute("SELECT task, instance_id FROM evaluator_answers")]
    database.close()
    return found


def shown_as_done(stderr):
    """The highest number of instances that a progress line said were done; 0 if there was none."""
    return max((int(number.replace(",", "")) for number in re.findall(r"([0-9,]+)/[0-9,]+ ", stderr)), default=0)


LARGE = pytest.param(20, 12_000, 64, 0.02, marks=pytest.mark.soak)
ONE_SLOT = pytest.param(20, 2_000, 1, 0.0, marks=pytest.mark.soak)


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "instances", "slots", "latency_s"), [(2, 300, 8, 0.03), LARGE, ONE_SLOT])
def test_kills_repeat_at_most_twice_the_slots_each(genlevel, stub_upstream, choice_suite, *, kills, instances, slots, latency_s):
    given = genlevel.folder / "given"
    stub = stub_upstream(latency=latency_s, given=given)
    chance = random.Random(instances)
    (genlevel.folder / "genlevel.yaml").write_text(
        f"storage: {{durability: {chance.choice(['process', 'power'])}}}\n"
        f"accounts: {{stub: {{provider: compatible, base_url: '{stub.base_url}'}}}}\nroutes: {{stubbed: {{account: stub, model: s}}}}\n"
    )
    command = ("eval", "--model", "stubbed", "--suite", str(choice_suite(instances)), "--concurrency", str(slots), "--json")
    for kill in range(kills):
        process, deadline = genlevel.start(*command), time.monotonic() + PATIENCE_S
        target = len(stub.calls()) + chance.randrange(2 * slots, instances // kills - 2 * slots)
        while len(stub.calls()) < target:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        _, stderr = process.communicate()
        kept = journalled(genlevel.folder)
        assert len(kept) == len(set(kept))
        asked, answered = {question for _, question in stub.calls()}, set(given.read_text().splitlines())
        assert len(asked) - len(kept) <= 2 * slots, f"kill {kill}: these are asked again"
        assert len(asked - answered) <= slots, f"kill {kill}: nobody knows of these"
        assert shown_as_done(stderr) <= len(kept)
    done = genlevel.run(*command, timeout_s=600)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instances"]["answered"] == instances
    times = Counter(question for _, question in stub.calls())
    assert len(times) == instances
    assert times.total() - instances <= 2 * slots * kills
    assert len(journalled(genlevel.folder)) == len(set(journalled(genlevel.folder))) == instances
