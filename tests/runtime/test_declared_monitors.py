"""Monitors in genlevel.yaml: what is refused with its line, and the message that each becomes."""

from __future__ import annotations

import pytest

from genlevel.runtime.declared_monitors import specification_of
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings_file import parse_settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

WHOLE = """\
destinations: {chat: {kind: slack, url_env: CHAT}, desk: {kind: webhook, url: 'https://desk.example/hook'}}
monitors:
  nightly:
    model: candidate
    suite: starter
    tasks: '*Reasoning*'
    every: 0 2 * * *
    time_zone: Europe/Berlin
    sample: 400
    pool: 30
    budget_usd_per_day: 2.50
    baseline_repeats: 3
    tolerance: 0.5
    horizon: 90d
    alpha: 0.01
    destinations: [desk]
    unpriced_ok: true
    paused: true
"""


def test_what_a_file_says_of_a_monitor_becomes_the_message_that_it_is_added_by():
    (monitor,) = parse_settings(WHOLE).monitors.values()
    assert specification_of(monitor) == mo.MonitorSpecification(
        asked=ev.RunSpecification(model="candidate", suite="starter", tasks="*Reasoning*"),
        every="0 2 * * *", time_zone="Europe/Berlin", sample=400, pool=30, budget_nano_usd=2_500_000_000, baseline_repeats=3,
        tolerance=0.5, horizon_s=90 * 86_400, alpha=0.01, destinations=["desk"], unpriced_ok=True,
    )  # fmt: skip
    assert monitor.paused


def test_what_is_left_out_is_the_evaluators_to_decide():
    panel = parse_settings("monitors: {p: {model: m, suite: s, every: 6h, panel: true, baseline: 0123456789ab}}").monitors["p"]
    assert specification_of(panel) == mo.MonitorSpecification(
        asked=ev.RunSpecification(model="m", suite="s"),
        every="6h", sample=200, panel=True, baseline="0123456789ab", horizon_s=365 * 86_400, alpha=0.05,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["every: 6"], r"monitors\.m\.every: should be a valid string, not 6; put it in quotes"),
        (["every: six"], r"monitors\.m\.every: 'six' is no length of time; .* or give five cron fields such as '0 6 \* \* \*'"),
        (["every: 0h"], r"monitors\.m\.every: '0h' is no time at all"),
        (["every: 6h", "horizon: 1y"], r"monitors\.m\.horizon: '1y' is no length of time"),
        (["every: 6h", "horizon: 30m"], r"monitors\.m\.horizon: must be between an hour and 100 years"),
        (["every: 6h", "sample: 4"], r"monitors\.m\.sample: should be greater than or equal to 5, not 4"),
        (["every: 6h", "alpha: 0"], r"monitors\.m\.alpha: should be greater than or equal to"),
        (["every: 6h", "budget_usd_per_day: 0"], r"monitors\.m\.budget_usd_per_day: should be greater than 0, not 0"),
        (["every: 6h", "pool: 5", "panel: true"], r"monitors\.m\.pool: goes without panel"),
        (["every: 6h", "baseline: r", "baseline_repeats: 5"], r"monitors\.m\.baseline_repeats: goes without baseline"),
        (["every: 6h", "destinations: [chat]"], r"monitors\.m\.destinations\[0\]: no destination is named 'chat' in this file"),
        (["every: 6h", "samples: 9"], r"monitors\.m\.samples: unknown field; did you mean 'sample'"),
        (["tasks: a"], r"monitors\.m\.every: is missing"),
    ],
)
def test_a_mistake_is_named_with_its_line(lines, said):
    text = "\n    ".join(["monitors:\n  m:", "model: a", "suite: s", *lines])
    with pytest.raises(ConfigurationError, match=rf"^genlevel\.yaml:[0-9]+: {said}") as raised:
        parse_settings(text)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("model", ["''", "' '"])
def test_an_empty_name_is_refused(model):
    with pytest.raises(ConfigurationError, match=r":1: monitors\.m\.model: is empty; give a name \(`genlevel models` lists some\)"):
        parse_settings(f"monitors: {{m: {{model: {model}, suite: s, every: 6h}}}}")


def test_a_name_that_no_series_could_have_is_refused():
    with pytest.raises(ConfigurationError, match=r":1: monitors\.a b: must be named with letters"):
        parse_settings("monitors: {a b: {model: m, suite: s, every: 6h}}")
