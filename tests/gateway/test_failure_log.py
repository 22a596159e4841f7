"""Failed calls in a service's log: each class is said, at a bounded rate."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.failure_log import FailureLog
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Settings
from genlevel.v1 import gateway_pb2 as gw


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_class_is_said_and_then_once_in_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = FailureLog(clock)
    for second in range(25):
        clock.now = second
        for _ in range(100):
            log.note("openai", CallFailed(ErrorClass.RATE_LIMIT, "too fast\nsk-abcdef123456"))
            log.note("openai", CallFailed(ErrorClass.TRANSIENT, "broke"))
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 6
    assert lines[0] == "a call failed as RATE_LIMIT: too fast [secret]"
    assert lines[2] == "a call failed as RATE_LIMIT: too fast [secret] (999 more since the last such line)"
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.parametrize("served", [True, False])
async def test_a_service_logs_failed_calls_and_a_command_does_not(
    *,
    served: bool,
    settings_at: Callable[..., Settings],
    asking: Callable[..., gw.GenerateRequest],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = Gateway(settings_at("http://127.0.0.1:9"), CollectorRegistry(), tmp_path, served=served)
    try:
        with pytest.raises(CallFailed):
            await gateway.generate(asking("x" * 10_000))
    finally:
        await gateway.close()
    said = [record.getMessage() for record in caplog.records if record.name == "gateway.failure_log"]
    assert [line.partition(": x")[0] for line in said] == (["a call failed as CALLER_FAULT"] if served else [])
    assert all(len(line) < 400 for line in said)
