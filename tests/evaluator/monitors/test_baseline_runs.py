"""Which runs may be what a monitor compares with."""

from __future__ import annotations

import re

import pytest

from evaluator.monitors.baselines import check_serves
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

SPECIFICATION = mo.MonitorSpecification(asked=ev.RunSpecification(model="m", suite="s"))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (ev.RUN_STATUS_DECIDED, "run r was decided early; `genlevel eval` without --until-decided asks the rest, which a baseline needs"),
        (ev.RUN_STATUS_INTERRUPTED, "run r has not finished; `genlevel resume r` goes on with it"),
    ],
)
def test_a_run_that_was_not_asked_in_full_is_none_and_how_it_is_completed_is_said(status: ev.RunStatus, said: str) -> None:
    run = ev.Run(run_id="r", specification=SPECIFICATION.asked, status=ev.RUN_STATUS_FINISHED)
    check_serves(run, SPECIFICATION)
    run.status = status
    with pytest.raises(UsageError, match=re.escape(said)):
        check_serves(run, SPECIFICATION)
