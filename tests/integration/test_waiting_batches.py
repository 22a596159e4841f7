"""What commands say of batches that wait."""

from __future__ import annotations

import pytest

from genlevel.documents.progress_line import progress_line
from genlevel.documents.runs import run_document
from genlevel.documents.waiting_batches import batches_told
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

WAITING = ev.WaitingBatches(provider="openai", batches=3, instances=1200, answered=412, expires_s=86_400 + 50_700)


@pytest.mark.parametrize(
    ("now_s", "when"), [(40_000, "14:05 UTC tomorrow"), (86_401, "14:05 UTC today"), (86_400 * 3, "14:05 UTC on 1970-01-02")]
)
def test_it_is_said_by_when_they_end(now_s, when):
    document = run_document(ev.Run(batches=WAITING))["batches"]
    assert batches_told(document, now_s) == f"3 batches at openai: 412 of 1,200 answered, by {when}"


def test_what_is_not_known_is_not_said_and_what_is_cancelled_is():
    document = run_document(ev.Run(batches=ev.WaitingBatches(provider="openai", batches=1, instances=2, cancelling=1)))["batches"]
    assert (document["expires"], batches_told(document, 0)) == (None, "1 batch at openai (to be cancelled): 0 of 2 answered")
    assert run_document(ev.Run())["batches"] is None


def test_progress_says_what_waits_there_in_place_of_calls_in_flight():
    run = ev.Run(counts=sc.OutcomeCounts(total=1300, pending=1200, answered=100), batches=WAITING)
    line = progress_line(ev.WatchRunResponse(run=run, waiting={"batch": 1200, "budget": 3}, rate=4.0, remaining_s=300.0))
    assert line.startswith(
        "100/1,300 | waits for 3 batches at openai: 412 of 1,200 answered, by 14:05 UTC on 1970-01-02 | 4.0/s | waiting: 3 on budget"
    )
    assert "left" not in line
