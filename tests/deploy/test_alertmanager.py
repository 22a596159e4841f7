"""Alarms of monitors reach people by a real Prometheus and a real Alertmanager with what is shipped."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from genlevel.runtime.http import HttpServer, create_app
from tests.alerting import prometheus_and_alertmanager
from tests.deploy.monitor_page import monitor_page
from tests.waiting import until

pytestmark = pytest.mark.full


async def test_alarms_of_monitors_are_told_to_whom_they_are_for_and_what_follows_from_another_one_is_not(tmp_path: Path) -> None:
    registry, monitors = monitor_page(time.time())
    async with (
        HttpServer(create_app(registry), "127.0.0.1:0") as server,
        prometheus_and_alertmanager(tmp_path, {"genlevel-evaluator": [f"127.0.0.1:{server.port}"]}) as alerting,
    ):
        await alerting.appears('genlevel_monitor_state{monitor="nightly", state="watching"} == 1')
        assert alerting.received == []
        monitors.alarms |= {("nightly", "all", "regression", "score"), ("nightly", "language", "improvement", "score")}
        await until(lambda: len(alerting.fired()) >= 2)
        told = {alert["labels"]["alertname"]: alert for alert in alerting.received}
        assert set(told) == {"GenlevelModelRegressed", "GenlevelModelImproved"}
        regressed = told["GenlevelModelRegressed"]
        assert (regressed["to"], regressed["labels"]["monitor"]) == ("on-call", "nightly")
        assert regressed["annotations"]["summary"] == "monitor nightly: gpt-5, all tasks: scores are below the baseline by 7.2 points"
        assert told["GenlevelModelImproved"]["to"] == "team"
        monitors.alarms |= {("nightly", "all", "outage", "errors")}
        await until(lambda: ("GenlevelModelAway", "nightly") in alerting.fired())
        monitors.alarms |= {("nightly", "all", "drift", "latency"), ("weekly", "all", "drift", "latency")}
        await until(lambda: ("GenlevelModelDrifted", "weekly") in alerting.fired())
        assert ("GenlevelModelDrifted", "nightly") not in alerting.fired()
        alerts = await alerting.data("/api/v1/alerts")
        assert ("GenlevelModelDrifted", "nightly") in {(one["labels"]["alertname"], one["labels"]["monitor"]) for one in alerts["alerts"]}


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "on-call"), ("warning", "team"), ("info", "team"), ("unheard-of", "team")])
def test_each_severity_has_a_receiver(repository: Path, severity: str, receiver: str) -> None:
    command = ["amtool", "config", "routes", "test", f"--config.file={repository / 'deploy/alertmanager/alertmanager.yml'}"]
    found = subprocess.run([*command, f"severity={severity}"], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [receiver]
