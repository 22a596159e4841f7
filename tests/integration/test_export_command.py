"""``genlevel export``: what is written can be read back by what reads such files."""

from __future__ import annotations

import csv
import json

import pytest


@pytest.fixture
def run(genlevel, stub_upstream, choice_suite):
    """A finished run of 12 instances, and the suite's folder."""
    suite = choice_suite(12)
    done = genlevel.run("eval", "--model", "m", "--base-url", stub_upstream().base_url, "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), suite


def export(genlevel, run, form, target, *more):
    return genlevel.run("export", run["run"], "--format", form, "--to", target, *more)


def test_the_workbook_gives_the_runs_levels_by_both_rules(genlevel, run):
    result, _ = run
    assert export(genlevel, result, "workbook", "w.xlsx").returncode == 0
    for rules in ("paper", "official"):
        level = genlevel.run("level", "w.xlsx", "--model", "m", "--rules", rules, "--json")
        assert level.returncode == 0, level.stderr
        assert json.loads(level.stdout)["language"]["wins"] == result["level"]["language"]["wins"] == 1


@pytest.mark.parametrize("bare", [(), ("--bare",)])
def test_exported_predictions_score_as_the_run_did(genlevel, run, bare):
    result, suite = run
    assert export(genlevel, result, "predictions", "p", *bare).returncode == 0
    document = json.loads((genlevel.folder / "p" / "nlp" / "Causal-Reasoning" / "prediction.json").read_text())
    assert isinstance(document, list) is bool(bare)
    done = genlevel.run("score", "--annotations", str(suite), "--predictions", "p", "--model", "m", "--out", "s.xlsx", "--json")
    assert json.loads(done.stdout)["tasks"][0]["score"] == result["tasks"][0]["score"] == 100
    again = export(genlevel, result, "predictions", "p")
    assert again.returncode == 2
    assert "not written over" in again.stderr


def test_csv_has_a_row_an_instance_and_json_is_the_result(genlevel, run):
    result, _ = run
    assert export(genlevel, result, "csv", "a.csv").returncode == 0
    with (genlevel.folder / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == {f"q{n:05d}" for n in range(12)}
    assert {row["answer"] for row in rows} == {"A"}
    assert export(genlevel, result, "json", "r.json").returncode == 0
    assert json.loads((genlevel.folder / "r.json").read_text()) == result


def test_a_place_that_cannot_be_written_is_named(genlevel, run):
    result, _ = run
    done = export(genlevel, result, "csv", "no/such/folder/a.csv")
    assert done.returncode == 2
    assert "no/such/folder/a.csv" in done.stderr
