"""What a result rests on, as commands say it: the stamp, whether it can be computed again, and results of several machines as one."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from scorer.parsers import PARSER_VERSION
from scorer.reports.stamps import content_hash, stamped


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


def verified(genlevel, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = genlevel.run("verify", *arguments, "--json")
    return done.returncode, json.loads(done.stdout)


def dumped(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return sorted(connection.iterdump())


def exported(genlevel, run: str, name: str = "b") -> Path:
    done = genlevel.run("export", run, "--format", "bundle", "--to", name)
    assert done.returncode == 0, done.stderr
    folder: Path = genlevel.folder / name
    return folder


def test_a_run_and_its_results_are_the_same_again_wherever_they_are(genlevel, evaluated, tmp_path):
    result, _suite = evaluated
    database = genlevel.folder / "genlevel-data" / "genlevel.db"
    exported(genlevel, result["run"])
    before = dumped(database)
    moved = shutil.move(genlevel.folder / "b", tmp_path / "elsewhere")
    lines = (Path(moved) / "answers.jsonl").read_text().splitlines()
    (Path(moved) / "answers.jsonl").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")  # their order means nothing
    written = json.loads((Path(moved) / "result.json").read_text())
    (Path(moved) / "result.json").write_text(json.dumps(written, sort_keys=True))
    beside = f"genlevel-data/runs/{result['run']}/result.json"
    for name in (result["run"], f"genlevel-data:{result['run']}", beside, str(moved), f"{moved}/result.json"):
        code, document = verified(genlevel, name)
        assert (code, document["verdict"], document["differences"], document["reasons"]) == (0, "same", [], []), name
        assert document["edited"] is False
    assert dumped(database) == before
    assert genlevel.run("verify", result["run"]).stdout == f"{result['run']}: same\n"


def test_an_edited_digit_is_noticed_by_its_hash_and_by_what_is_computed(genlevel, evaluated):
    result, _suite = evaluated
    folder = exported(genlevel, result["run"])
    edited = {**result, "tasks": [{**result["tasks"][0], "score": 99.0}, *result["tasks"][1:]]}
    (folder / "result.json").write_text(json.dumps(edited))
    code, document = verified(genlevel, "b")
    assert (code, document["verdict"], document["edited"]) == (1, "differs", True)
    assert "edited" in document["reasons"][0]
    assert document["differences"] == [{"task": result["tasks"][0]["key"], "what": "score", "said": 99.0, "found": 100.0}]

    (folder / "result.json").write_text(json.dumps(stamped(edited)))  # its hash made anew, too: it is no signature
    code, document = verified(genlevel, "b/result.json")
    assert (code, document["edited"], len(document["differences"])) == (1, False, 1)

    (folder / "result.json").write_text(json.dumps({**result, "model": "a better one"}))
    assert verified(genlevel, "b")[0] == 1


def test_an_answer_that_was_removed_or_changed_is_noticed(genlevel, evaluated):
    result, _suite = evaluated
    folder = exported(genlevel, result["run"])
    lines = (folder / "answers.jsonl").read_text().splitlines()
    (folder / "answers.jsonl").write_text("\n".join(lines[:-1]))
    code, document = verified(genlevel, "b")
    assert (code, document["edited"]) == (1, False)
    assert {"task": None, "what": "instances.pending", "said": 0, "found": 1} in document["differences"]
    assert any(one["what"] == "score" and one["found"] is None for one in document["differences"])

    (folder / "answers.jsonl").write_text("\n".join(line.replace("Answer: A", "Answer: B") for line in lines))
    code, document = verified(genlevel, "b")
    assert code == 1
    assert {one["what"] for one in document["differences"] if one["task"]} >= {"score", "sigma"}


def test_what_cannot_be_verified_says_why(genlevel, evaluated):
    result, suite = evaluated
    exported(genlevel, result["run"])
    shutil.move(suite, suite.with_name("moved"))
    code, document = verified(genlevel, "b")
    assert (code, document["verdict"]) == (2, "cannot be verified")
    assert str(suite) in document["reasons"][0]
    assert verified(genlevel, "b", "--suite", str(suite.with_name("moved")))[0] == 0
    for name in ("no-such-run", "nowhere:abc", "b/answers.jsonl"):
        done = genlevel.run("verify", name)
        assert (done.returncode, done.stdout) == (2, ""), name
        assert len(done.stderr.splitlines()) == 1


def test_another_suite_or_parser_is_named_as_the_reason(genlevel, evaluated):
    result, suite = evaluated
    annotation = suite / "nlp" / "Causal-Reasoning" / "annotation.json"
    folder = exported(genlevel, result["run"])
    annotation.write_text(annotation.read_text().replace('"answer": "A"', '"answer": "B"'))
    code, document = verified(genlevel, "b")
    assert code == 1
    assert any("suite's content is another" in reason for reason in document["reasons"])
    annotation.write_text(annotation.read_text().replace('"answer": "B"', '"answer": "A"'))

    older = {**result, "stamp": {**result["stamp"], "parser_versions": ["2"]}}
    (folder / "result.json").write_text(json.dumps(stamped(older)))
    code, document = verified(genlevel, "b")  # the scores are alike, so that it is the same, and says so
    assert (code, document["verdict"], document["reasons"]) == (
        0,
        "same",
        [f"the answers were read by another parser: 2 then, {PARSER_VERSION} now"],
    )
