"""What a result rests on, as commands say it: the stamp, whether it can be computed again, and results of several machines as one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from evaluator.journal.journal import Journal
from evaluator.runs.copies import copy_answers
from genlevel.cli.bundles import Bundle, read_bundle, read_result
from genlevel.cli.differences import differences, reasons
from genlevel.documents.runs import unscored_answers
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import DatasetError
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
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
    assert (genlevel.folder / "a.csv").read_text().startswith("task,id,outcome,")  # no other line before its header
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


def test_what_was_decided_early_is_decided_again_from_the_answers(genlevel, stub_upstream, choice_suite):
    suite = str(choice_suite(60, tasks=("Causal-Reasoning", "Abductive-Reasoning")))
    asked = ("eval", "--model", "mine", "--base-url", stub_upstream(answer="Answer: A").base_url, "--suite", suite, "--json")
    before = json.loads(genlevel.run(*asked, "--until-decided", "wins", "--epsilon", "0.2").stdout)["decision"]
    result = json.loads(genlevel.run(*asked, "--until-decided", "wins").stdout)
    assert (result["status"], result["decision"]["complete"]) == ("decided", True)
    assert [(one["epsilon"], one["asked"]) for one in result["decision"]["earlier"]] == [(0.2, before["asked"])]
    folder = exported(genlevel, result["run"])
    code, document = verified(genlevel, "b")
    assert (code, document["differences"], document["edited"]) == (0, [], False)
    assert document["decision"].endswith(" of 120); decided again from the answers")

    lines = (folder / "answers.jsonl").read_text().splitlines()
    (folder / "answers.jsonl").write_text("\n".join([re.sub(r'"rules": [0-9]+', '"rules": 0', lines[0]), *lines[1:]]))
    code, document = verified(genlevel, "b")
    assert document["decision"].endswith("which asks in another order")

    tasks = result["decision"]["tasks"]
    said = next(task for task in tasks if task["state"] == "not won")
    claimed = {**result["decision"], "tasks": [{**task, "state": "won"} if task is said else task for task in tasks]}
    (folder / "result.json").write_text(json.dumps(stamped({**result, "decision": claimed})))
    (folder / "answers.jsonl").write_text("\n".join([lines[0].replace("STATE_NOT_WON", "STATE_WON"), *lines[1:]]))
    code, document = verified(genlevel, "b")
    assert (code, document["edited"]) == (1, False)
    differ = {"task": None, "what": f"decision.tasks.{said['key']}.state", "said": "won", "found": "not won"}
    assert document["differences"] == [differ]

    (folder / "result.json").write_text(json.dumps(result))
    (folder / "answers.jsonl").write_text("\n".join([lines[0], *(line for line in lines[1:] if said["key"] not in line)]))
    code, document = verified(genlevel, "b")
    assert code == 1
    assert "units without all of their answers are needed to decide it" in document["decision"]
    assert {"task": None, "what": "decision.complete", "said": True, "found": False} in document["differences"]


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


def test_a_run_that_ended_early_is_the_same_after_it_was_rescored(genlevel, stub_upstream, choice_suite):
    suite = choice_suite(4, tasks=("Causal-Reasoning", "Abductive-Reasoning"))
    asked = ("--model", "m", "--base-url", stub_upstream(answer="Answer: A").base_url, "--suite", str(suite))
    result = json.loads(genlevel.run("eval", *asked, "--concurrency", "1", "--budget-tokens", "300", "--json").stdout)
    counts = [task["instances"] for task in result["tasks"]]
    assert any(one["pending"] == one["total"] for one in counts), counts
    assert any(one["answered"] for one in counts), counts
    again = json.loads(genlevel.run("rescore", result["run"], "--json").stdout)
    assert again["tasks"] == result["tasks"]
    assert verified(genlevel, result["run"])[1]["differences"] == []


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


def test_media_of_answers_that_are_missing_or_damaged_are_named(tmp_path):
    content, blobs = b"a picture", BlobStore.open(tmp_path / "blobs")
    sha256 = hashlib.sha256(content).hexdigest()
    media = tmp_path / "media" / sha256
    media.parent.mkdir()
    bundle = Bundle(tmp_path, ev.Run(), {})
    answer = ev.ListAnswersResponse(task="t", instance_id="i", files=[sc.File(mime_type="image/png", blob=ct.BlobReference(sha256=sha256))])
    with pytest.raises(DatasetError, match="a file of the answer t/i is missing"):
        bundle.store_media(answer, blobs)
    media.write_bytes(b"another")
    with pytest.raises(DatasetError, match="its content has another hash than its name"):
        bundle.store_media(answer, blobs)
    media.write_bytes(content)
    bundle.store_media(answer, blobs)
    assert blobs.get(sha256) == content
    longer = ev.ListAnswersResponse(files=[sc.File(blob=ct.BlobReference(sha256=sha256, size_bytes=10))])
    with pytest.raises(DatasetError, match="of another size"):
        bundle.store_media(longer, blobs)
    (tmp_path / "media" / "endless").symlink_to("/dev/zero")
    for name, told in (("../../secret", "secret"), ("a\0b", "ab"), ("", "media"), ("endless", "endless")):
        outside = ev.ListAnswersResponse(files=[sc.File(blob=ct.BlobReference(sha256=name))])
        with pytest.raises(DatasetError, match=f"{tmp_path}/.*{told}: a file of the answer / is missing"):
            bundle.store_media(outside, blobs)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "{}",
        "[1]",
        '{"tasks": 3}',
        '{"tasks": [4]}',
        '{"tasks": [{"key": 1}]}',
        '{"tasks": [], "stamp": []}',
        '{"tasks": [], "level": 1}',
    ],
)
def test_a_file_that_is_no_result_is_refused_in_one_line(tmp_path, written):
    (tmp_path / "result.json").write_text(written)
    with pytest.raises(DatasetError, match="result"):
        read_result(tmp_path / "result.json")


@pytest.mark.parametrize("written", ["", "{}", '{"run": 3}', '{"run": {"status": {}}}', '{"run": {"status": 99}}', "[" * 100_000])
def test_a_bundle_without_a_run_is_refused_in_one_line(tmp_path, written):
    (tmp_path / "answers.jsonl").write_text(written)
    (tmp_path / "result.json").write_text('{"tasks": []}')
    with pytest.raises(DatasetError, match=r"answers\.jsonl:1"):
        read_bundle(tmp_path)


def test_an_answer_that_is_none_is_named_by_its_line(tmp_path):
    lines = ['{"run": {"run_id": "r"}}', '{"answer": {"task": "t"}}', '{"answer": {"attempts": -1}}']
    (tmp_path / "answers.jsonl").write_text("\n".join(lines))
    (tmp_path / "result.json").write_text('{"tasks": []}')
    with pytest.raises(DatasetError, match=r"answers\.jsonl:3"):
        list(read_bundle(tmp_path).answers())


def test_two_answers_to_one_question_are_refused_by_their_line(tmp_path):
    lines = [
        '{"run": {}}',
        *(
            f'{{"answer": {{"task": "t", "instance_id": "{one}", "repeat": {again}}}}}'
            for one, again in (("a", 0), ("a", 1), ("b", 0), ("a", 1))
        ),
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(lines))
    (tmp_path / "result.json").write_text('{"tasks": []}')
    with pytest.raises(DatasetError, match=r"answers\.jsonl:5: is a second answer to t/a$"):
        list(read_bundle(tmp_path).answers())


def test_answers_that_came_after_the_last_scoring_are_counted():
    tasks = [{"key": "a", "instances": {"pending": 12}}, {"key": "b", "instances": {"pending": 4}}]
    said = {"tasks": tasks, "instances": {"pending": 9}}
    assert unscored_answers(said) == 7
    assert (
        unscored_answers({**said, "instances": {"pending": 16}}) == unscored_answers({"tasks": tasks[:1]} | {"instances": None}) - 12 == 0
    )
    found = {"tasks": [], "stamp": {}}
    assert reasons(said, found, suite_hash="") == [
        "7 answers had come after their tasks were last scored: `genlevel rescore RUN` scores them"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"call": ev.CallRecord(created_s=float("nan"))},
        {"call": ev.CallRecord(excess=float("inf"))},
        {"upstream_s": float("nan")},
        {"ratings": [ev.AnswerRating(rater="anna", rating=float("nan"))]},
        {"usage": gw.Usage(input_tokens=1 << 63)},
        {"ratings": [ev.AnswerRating(judge="j", usage=gw.Usage(output_tokens=1 << 63))]},
        {"outcome": 99},
        {"task": "another"},
    ],
)
async def test_an_answer_that_no_journal_could_have_written_is_refused_in_one_line(tmp_path, changes):
    message = ev.ListAnswersResponse(task="t", instance_id="i", outcome=sc.OUTCOME_ANSWERED)
    for name, value in changes.items():
        message.MergeFrom(ev.ListAnswersResponse(**{name: value}))

    async def listed():
        yield message

    journal = Journal(sqlite_url(tmp_path / "j.db"))
    with pytest.raises(DatasetError, match=r"^answer '(t|another)'/'i': "):
        await copy_answers(journal, "r", listed(), tasks={"t"})
    journal.close()


def test_what_a_result_says_twice_is_no_result_and_no_task_is_there_twice(tmp_path):
    path = tmp_path / "result.json"
    path.write_text('{"tasks": [{"key": "a", "score": 99.0, "score": 50.0}]}')
    with pytest.raises(DatasetError, match="'score' is there twice"):
        read_result(path)
    found = {"tasks": [{"key": "a", "score": 50.0}], "certified": {"tasks": [{"key": "a", "p": 1.0}]}}
    said = {**found, "tasks": [{"key": "a", "score": 99.0}, {"key": "a", "score": 50.0}]}
    assert [one.json() for one in differences(said, found)] == [
        {"task": "a", "what": "task", "said": "there several times", "found": "there"}
    ]
    twice = {**found, "certified": {"tasks": [{"key": "a", "p": 0.0}, {"key": "a", "p": 1.0}]}}
    assert [one.what for one in differences(twice, found)] == ["certified.tasks"]


def test_tasks_that_only_one_result_has_and_tests_in_another_order_are_told_apart():
    said = {"tasks": [{"key": "a", "score": 1.0}], "certified": {"alpha": 0.05, "tasks": [{"key": "x", "p": 1.0}, {"key": "y", "p": 0.5}]}}
    found = {**said, "tasks": [], "certified": {"alpha": 0.05, "tasks": [{"key": "y", "p": 0.5}, {"key": "x", "p": 1.0 + 1e-12}]}}
    assert [one.json() for one in differences(said, found)] == [{"task": "a", "what": "task", "said": "there", "found": "not there"}]
    said["tasks"], found["tasks"] = [{"key": "a", "chance": None, "score": None}], [{"key": "a", "chance": 50.0, "score": None}]
    assert differences(said, found) == []  # an earlier version did not keep it
    assert [one.what for one in differences(found, said)] == ["chance"]
    found["certified"] = {"alpha": 0.05, "tasks": [{"key": "x", "p": 1.0}, {"key": "y", "p": 0.6}]}
    assert [one.what for one in differences(said, found)] == ["certified.tasks.y.p"]
