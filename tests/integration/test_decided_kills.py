"""A run that is being decided, and whose process is killed, decides as one that is not, and asks little again. Real processes."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest

from tests.integration.serving import PATIENCE_S

SLOTS = 8


@pytest.fixture
def suite(tmp_path):
    """One task that the stub knows, and that no constant answer does well in."""
    folder, chance = tmp_path / "bench" / "nlp" / "Causal-Reasoning", random.Random(1)
    folder.mkdir(parents=True)
    data = []
    for number in range(400):
        label = chance.choice("AB")
        options = [f"{'right' if label == letter else 'wrong'} {number}" for letter in "AB"]
        given = {"question": f"Question {number}?", "options": options}
        data.append({"id": f"q{number}", "input": given, "output": {"answer": label}})
    (folder / "annotation.json").write_text(json.dumps({"task": folder.name, "type": "MultipleChoiceQA", "data": data}))
    return folder.parents[1]


@pytest.mark.slow
def test_a_killed_run_decides_as_one_that_was_not(genlevel, stub_upstream, suite):
    stub = stub_upstream(latency=0.1, knows="right")
    (genlevel.folder / "genlevel.yaml").write_text(
        f"accounts: {{stub: {{provider: compatible, base_url: '{stub.base_url}'}}}}\nroutes: {{stubbed: {{account: stub, model: s}}}}\n"
    )
    asked = ("--model", "stubbed", "--suite", str(suite), "--concurrency", str(SLOTS), "--until-decided", "wins", "--json")
    whole = genlevel.run("eval", *asked, "--out", str(genlevel.folder / "whole"), timeout_s=600)
    assert whole.returncode == 0, whole.stderr
    expected, before = json.loads(whole.stdout)["decision"], len(stub.calls())
    for calls in (12, 20):
        process, deadline = genlevel.start("eval", *asked), time.monotonic() + PATIENCE_S
        while len(stub.calls()) - before < calls:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    ended = genlevel.run("eval", *asked, timeout_s=600)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)["decision"]
    assert found["tasks"][0]["state"] == expected["tasks"][0]["state"] == "won"
    assert found["tasks"][0]["decided_at"] == expected["tasks"][0]["decided_at"]
    again = len(stub.calls()) - before - found["asked"]
    assert again <= 2 * SLOTS
