"""Evaluators over a gateway with a batch API."""

from __future__ import annotations

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.batches.gateway import BatchGateway
from tests.evaluator.runs.asking import finish, specification


@pytest.fixture
def scripted():
    return BatchGateway()


@pytest.fixture
def run_in_batches(make_evaluator):
    """Runs a suite in batches to its end: (run, evaluator, scorer)."""

    async def make(folder, *, attempts=3, **traffic):
        evaluator, scorer = make_evaluator(attempts=attempts, batch_look_s=0.02)
        request = ev.StartRunRequest(specification=specification(folder), traffic=ev.TrafficSettings(batch=True, **traffic))
        return await finish(evaluator, request), evaluator, scorer

    return make
