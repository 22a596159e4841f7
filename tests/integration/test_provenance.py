"""What a result rests on, as commands say it: the stamp, whether it can be computed again, and results of several machines as one."""

from __future__ import annotations

import json
from typing import Any

import openpyxl
import pytest

from scorer.reports.stamps import content_hash


@pytest.fixture
def evaluated(genlevel, stub_upstream, choice_suite):
    """(result, suite) of a run of two tasks, right in each: its server names its model as it was asked."""
    suite = choice_suite(6, tasks=("Causal-Reasoning", "Abductive-Reasoning"))
    url = stub_upstream(answer="Answer: A").base_url
    done = genlevel.run("eval", "--model", "mine", "--base-url", url, "--suite", str(suite), "--seed", "3", "--limit", "4", "--json")
    result: dict[str, Any] = json.loads(done.stdout)
    return result, suite


def test_a_result_says_what_it_rests_on_in_every_form(genlevel, evaluated):
    result, _suite = evaluated
    stamp = result["stamp"]
    assert stamp["sha256"] == content_hash(result)
    assert json.loads((genlevel.folder / "genlevel-data" / "runs" / result["run"] / "result.json").read_text()) == result
    assert (stamp["asked"]["limit"], stamp["asked"]["seed"], stamp["asked"]["tasks"]) == (4, 3, None)
    assert stamp["asked"]["suite_hash"] == result["suite_hash"]
    assert stamp["asked"]["genlevel"] == stamp["genlevel"]
    assert stamp["models"] == [{"model": "mine", "answers": 8}]
    (sent,) = stamp["applied_parameters"]
    assert (sent["answers"], sent["parameters"]["temperature"]) == (8, 0.0)
    assert (stamp["plan"], stamp["references"]["set"], stamp["alpha"]) == (1, "workbook", 0.05)
    assert len(stamp["references"]["hash"]) == 64
    assert json.loads(genlevel.run("show", result["run"], "--json").stdout) == result  # the same, whenever it is asked for

    assert genlevel.run("export", result["run"], "--format", "csv", "--to", "a.csv").returncode == 0
    assert genlevel.run("export", result["run"], "--format", "predictions", "--to", "p").returncode == 0
    assert genlevel.run("export", result["run"], "--format", "workbook", "--to", "w.xlsx").returncode == 0
    assert json.loads((genlevel.folder / "a.csv.result.json").read_text()) == result
    assert json.loads((genlevel.folder / "p" / "result.json").read_text()) == result
    assert len((genlevel.folder / "a.csv").read_text().splitlines()) == 1 + 8
    assert json.loads(openpyxl.load_workbook(genlevel.folder / "w.xlsx").properties.description) == stamp
    metrics = (genlevel.folder / "genlevel-data" / "runs" / result["run"] / "metrics.prom").read_text()
    (info,) = (line for line in metrics.splitlines() if line.startswith("genlevel_run_info{"))
    assert f'run="{result["run"]}"' in info
    assert {'limit="4"', 'plan="1"', 'alpha="0.05"', 'references="workbook"'} <= set(info.partition("{")[2].partition("}")[0].split(","))
