"""`show RUN --wrong`, `--instance` and `--failures`: what was read, against which label, with which score, and why; shown safely."""

from __future__ import annotations

import asyncio
import csv
import json
import runpy
import sqlite3
import time
from pathlib import Path

import pytest

from evaluator.journal.records import Answer
from genlevel.benchmark.outcomes import Outcome

STORED_RUNS = Path(__file__).parents[1] / "performance" / "stored_runs.py"
HOSTILE = "\x1b[2J[bold red]B[/]\u202e nothing\n\x1b]0;title\x07" + "long " * 200
METRICS = {"Choices": "Accuracy", "Errors": "MAE", "Graded": "F1", "Pooled": "micro-F1"}
ANSWERS = {
    "nlp/Choices": ["A", "B", "A or B", HOSTILE, "It is (B)."],
    "nlp/Errors": ["4", "4.5", "20", "no idea", "3"],
    "nlp/Graded": ["a red car", "a car", "red [link=x]boat[/link]", "", "tree"],
    "nlp/Pooled": ['["joy"]', '["fear"]', "[]", '["joy", "fear"]', '["joy"]'],
}


def answered(run_id: str, task: str, number: int) -> Answer:
    outcome = Outcome.REFUSED if (task, number) == ("nlp/Choices", 4) else Outcome.ANSWERED
    said = "" if outcome is Outcome.REFUSED else ANSWERS[task][number]
    error = "the provider \x1b[1mwould not" if outcome is Outcome.REFUSED else ""
    return Answer(run_id, task, f"q{number}", outcome, raw_answer=said, error=error, created=time.time() + number)


def make_suite(root: Path) -> Path:
    asked = {
        "Choices": ("MultipleChoiceQA", {"options": ["dry", "wet\x1b[7m"]}, "A"),
        "Errors": ("Regression", {}, "4"),
        "Graded": ("OpenEndedQA", {}, "a red car"),
        "Pooled": ("MultiLabelClassification", {}, ["joy"]),
    }
    for name, (kind, given, answer) in asked.items():
        folder = root / "nlp" / name
        folder.mkdir(parents=True)
        data = [{"id": f"q{n}", "input": {"question": f"What {n}?", **given}, "output": {"answer": answer}} for n in range(5)]
        (folder / "annotation.json").write_text(json.dumps({"task": name, "type": kind, "data": data}))
    (root / "suite.yaml").write_text("name: own\ntasks:\n" + "".join(f"  nlp/{name}: {{metric: {METRICS[name]}}}\n" for name in asked))
    return root


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """(Folder of the runs, id of the run)."""
    folder = tmp_path_factory.mktemp("answers")
    suite = make_suite(folder / "own")
    store = runpy.run_path(str(STORED_RUNS))["store_run"]
    return folder / "data", asyncio.run(store(folder / "data", suite, answered=answered))


def shown(genlevel, stored, *options):
    folder, run = stored
    done = genlevel.run("show", run, *options, "--out", str(folder))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in options else done.stdout


def test_answers_are_found_by_a_text_in_any_case(genlevel, stored):
    lines = shown(genlevel, stored, "--search", "RED").split("\n\n")
    assert lines[0] == "3 answers; in all tasks 1 are right, 2 wrong"
    assert lines[1].startswith("nlp/Choices/q3: ")
    assert "\x1b" not in "".join(lines)
    assert lines[2] == "nlp/Graded/q0: answered, right, 100.00\n  asked:  What 0?\n  answer: a red car"
    found = shown(genlevel, stored, "--search", "would not", "--json")
    assert [(one["id"], one["outcome"], one["right"], one["error"]) for one in found["answers"]] == [
        ("q4", "refused", False, "the provider \x1b[1mwould not")
    ]
    some = shown(genlevel, stored, "--search", "what", "--task", "*/p*", "--limit", "2")
    assert some.startswith("5 answers, the first 2 of them here (--limit); in all tasks ")
    assert some.count("nlp/Pooled/") == 2
    assert "nlp/Pooled/q0: answered, not known whether right\n" in some


def test_wrong_answers_stand_beside_their_labels_the_worst_first(genlevel, stored):
    lines = shown(genlevel, stored, "--wrong").split("\n\n")
    assert lines[1:3] == ["nlp/Choices (accuracy): 4 of 5", "nlp/Choices/q1: 0.00, wrong\n  read:   B (wet\\x1b[7m)\n  label:  A (dry)"]
    assert lines[3] == (
        "nlp/Choices/q2: 0.00, unparsable\n  read:   nothing: it names several letters: A, B\n  label:  A (dry)\n  answer: A or B"
    )
    assert lines[5] == "nlp/Choices/q4: 0.00, refused\n  read:   nothing: the provider \\x1b[1mwould not\n  label:  A (dry)"
    heads = [line.strip().split("\n")[0] for line in lines]
    assert heads[6:11] == [
        "nlp/Errors (mae): 4 of 5",
        "nlp/Errors/q2: 16.00, an error, of which 0 is the best",
        "nlp/Errors/q3: 4.00, unparsable",
        "nlp/Errors/q4: 1.00, an error, of which 0 is the best",
        "nlp/Errors/q1: 0.50, an error, of which 0 is the best",
    ]
    assert heads[12:16] == [
        "nlp/Graded/q3: 0.00, unparsable",
        "nlp/Graded/q4: 0.00, wrong",
        "nlp/Graded/q2: 25.00, partly right, at most 100.00",
        "nlp/Graded/q1: 80.00, partly right, at most 100.00",
    ]
    assert "[link=x]boat[/link]" in lines[14]
    assert heads[16].startswith("nlp/Pooled (micro_f1): single instances have no score by this metric")
    assert len(heads) == 17


def test_what_models_and_datasets_write_cannot_write_to_the_terminal(genlevel, stored):
    views = [shown(genlevel, stored, *view) for view in (("--wrong",), ("--instance", "nlp/Choices/q3"), ("--failures",))]
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(views))
    blocks = views[0].split("\n\n")
    assert blocks[4].splitlines()[-1] == "  answer: \\x1b[2J[bold red]B[/]\\u202e nothing"
    assert all(len(line) < 220 for block in blocks for line in block.splitlines())


def test_wrong_answers_are_narrowed_by_task_limit_and_order(genlevel, stored):
    found = shown(genlevel, stored, "--wrong", "--task", "*errors,nlp/POOLED", "--limit", "2", "--json")
    assert [(task["key"], task["n"], task["wrong"], task["shown"]) for task in found["tasks"]] == [
        ("nlp/Errors", 5, 4, 2),
        ("nlp/Pooled", 5, None, 0),
    ]
    assert [(entry["id"], entry["score"]) for entry in found["answers"]] == [("q2", 16.0), ("q3", 4.0)]
    by_id = shown(genlevel, stored, "--wrong", "--task", "Errors", "--limit", "2", "--sort", "id", "--json")
    assert [(entry["id"], entry["score"]) for entry in by_id["answers"]] == [("q1", 0.5), ("q2", 16.0)]
    assert by_id["tasks"][0]["wrong"] == 4
    assert "4 of 5, the first 2 of them here (--limit)" in shown(genlevel, stored, "--wrong", "--task", "Errors", "--limit", "2")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--wrong", "--task", "no/such"), "--task 'no/such' matches none of the 4 scored tasks of run"),
        (("--task", "Errors"), "--task goes with --wrong or --search"),
        (("--search", "a", "--sort", "id"), "--sort goes with --wrong"),
        (("--search", "", "--wrong"), "different views: give one"),
        (("--wrong", "--failures"), "different views: give one"),
    ],
)
def test_options_that_do_not_fit_are_named(genlevel, stored, options, said):
    folder, run = stored
    done = genlevel.run("show", run, *options, "--out", str(folder))
    assert done.returncode == 2
    assert said in done.stderr


def test_an_instance_is_shown_with_what_was_read_and_why_it_has_its_score(genlevel, stored):
    said = shown(genlevel, stored, "--instance", "nlp/Graded/q1")
    assert said.endswith('--- read\na car\n\n--- label\n["a red car"]\n\n--- score\n80.00: partly right, at most 100.00\n\n')
    assert "--- score\n100.00: right" in shown(genlevel, stored, "--instance", "nlp/Choices/q0")
    (unread,) = shown(genlevel, stored, "--instance", "nlp/Choices/q2", "--json")
    assert (unread["parsed"], unread["score"], unread["options"]) == (None, 0.0, ["dry", "wet\x1b[7m"])
    assert unread["why"] == "no answer could be read, which counts as wrong: it names several letters: A, B"
    (pooled,) = shown(genlevel, stored, "--instance", "nlp/Pooled/q3", "--json")
    assert (pooled["parsed"], pooled["score"]) == (["joy", "fear"], None)
    assert pooled["why"] == "single instances have no score by this metric"
    (refused,) = shown(genlevel, stored, "--instance", "nlp/Choices/q4", "--json")
    assert (refused["parsed"], refused["score"], refused["why"]) == (None, 0.0, "refused, which counts as wrong")


def test_documents_of_failures_and_wrong_answers_have_questions_and_readings(genlevel, stored):
    failures = shown(genlevel, stored, "--failures", "--json")
    assert [(entry["task"], entry["id"], entry["outcome"]) for entry in failures] == [
        ("nlp/Choices", "q4", "refused"),
        ("nlp/Choices", "q2", "unparsable"),
        ("nlp/Choices", "q3", "unparsable"),
        ("nlp/Errors", "q3", "unparsable"),
        ("nlp/Graded", "q3", "unparsable"),
    ]
    for entry in (*failures, *shown(genlevel, stored, "--wrong", "--json")["answers"]):
        assert entry["prompt"].startswith("What")
        assert entry["why"]
        assert entry["parsed"] is not None or entry["error"]
    lines = shown(genlevel, stored, "--failures").splitlines()
    assert [line.split()[1].rstrip(":") for line in lines] == [f"{entry['task']}/{entry['id']}" for entry in failures]


def test_a_csv_has_questions_and_readings(genlevel, stored):
    folder, run = stored
    done = genlevel.run("export", run, "--format", "csv", "--to", "a.csv", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    with (genlevel.folder / "a.csv").open(newline="") as file:
        rows = {(row["task"], row["id"]): row for row in csv.DictReader(file)}
    assert len(rows) == 20
    assert {row["prompt"].partition(" ")[0] for row in rows.values()} == {"What"}
    graded = rows["nlp/Graded", "q2"]
    assert (graded["parsed"], graded["label"], graded["score"]) == ("red [link=x]boat[/link]", "a red car", "25.0")
    assert graded["why"] == "partly right, at most 100.00"
    assert (rows["nlp/Pooled", "q3"]["parsed"], rows["nlp/Choices", "q2"]["parsed"]) == ('["joy", "fear"]', "")


def test_answers_to_one_instance_are_told_apart(genlevel, stub_upstream, choice_suite):
    url = stub_upstream(answer="A or B").base_url
    suite = str(choice_suite(2))
    done = genlevel.run("eval", "--model", "m", "--base-url", url, "--suite", suite, "--repeats", "2", "--json")
    run = json.loads(done.stdout)["run"]
    lines = genlevel.run("show", run, "--failures").stdout.splitlines()
    ids = [f"nlp/Causal-Reasoning/q0000{number}{again}:" for number in range(2) for again in ("", " (repeat 1)")]
    assert [line.removeprefix("unparsable  ").partition(" it ")[0] for line in lines] == ids
    found = json.loads(genlevel.run("show", run, "--wrong", "--json").stdout)["answers"]
    assert [(entry["id"], entry["repeat"]) for entry in found] == [("q00000", 0), ("q00000", 1), ("q00001", 0), ("q00001", 1)]


@pytest.fixture
def older(stored, tmp_path):
    """The same run as it was scored before readings were kept."""
    folder, run = stored
    copy = tmp_path / "older"
    copy.mkdir()
    kept, database = sqlite3.connect(folder / "genlevel.db"), sqlite3.connect(copy / "genlevel.db")
    kept.backup(database)
    with database:
        database.execute("update scorer_task_scores set readings = null, reasons = null")
    kept.close()
    database.close()
    return copy, run


def test_a_run_of_an_older_version_says_that_readings_are_not_kept_until_it_is_scored_again(genlevel, older):
    folder, run = older
    assert shown(genlevel, older, "--wrong").count("  read:   not kept; rescore the run") == 7
    assert "--- read\nnot kept; rescore the run" in shown(genlevel, older, "--instance", "nlp/Graded/q1")
    unread = [line for line in shown(genlevel, older, "--failures").splitlines() if line.startswith("unparsable")]
    assert [line.partition(": ")[2] for line in unread] == ["why is not kept; rescore the run"] * 4
    done = genlevel.run("export", run, "--format", "csv", "--to", "older.csv", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    with (genlevel.folder / "older.csv").open(newline="") as file:
        parsed = {(row["task"], row["id"]): row["parsed"] for row in csv.DictReader(file)}
    assert parsed["nlp/Graded", "q1"] == "a car"  # as it is read today
    assert genlevel.run("rescore", run, "--out", str(folder)).returncode == 0
    assert "not kept" not in shown(genlevel, older, "--wrong") + shown(genlevel, older, "--failures")


def other_answers(run_id: str, task: str, number: int) -> Answer:
    """Those of another model: right where the first one is wrong, and the other way round; better or worse if graded."""
    said = {
        "nlp/Choices": ["B", "A", "A or B", "A", "A"],
        "nlp/Errors": ["6", "4", "20", "no idea", "3.5"],
        "nlp/Graded": ["a red car", "tree", "a red car", "", "tree"],
        "nlp/Pooled": ANSWERS["nlp/Pooled"],
    }[task][number]
    outcome = Outcome.FAILED if (task, number) == ("nlp/Errors", 2) else Outcome.ANSWERED
    return Answer(run_id, task, f"q{number}", outcome, raw_answer=said, created=time.time() + number)


@pytest.fixture(scope="module")
def two(stored):
    """(Folder of the runs, id of the first, id of the other)."""
    folder, run = stored
    store = runpy.run_path(str(STORED_RUNS))["store_run"]
    return folder, run, asyncio.run(store(folder, folder.parent / "own", model="other", answered=other_answers))


def compared(genlevel, two, *options):
    folder, one, other = two
    done = genlevel.run("compare", one[:9], other[:9], "--instances", *options, "--out", str(folder))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in options else done.stdout


def test_instances_on_which_two_runs_differ_are_listed_the_largest_differences_first(genlevel, two):
    found = compared(genlevel, two, "--json")
    counts = {task["key"]: [task[name] for name in ("both_right", "only_a", "only_b", "both_wrong", "shown")] for task in found["tasks"]}
    assert counts == {
        "nlp/Choices": [0, 1, 3, 1, 4],
        "nlp/Errors": [0, 1, 2, 1, 3],
        "nlp/Graded": [1, 1, 1, 2, 2],
        "nlp/Pooled": [None, None, None, None, 0],
    }
    assert [(entry["task"], entry["id"], entry["better"], entry["a"]["score"], entry["b"]["score"]) for entry in found["instances"]] == [
        ("nlp/Choices", "q0", "a", 100.0, 0.0),
        ("nlp/Choices", "q1", "b", 0.0, 100.0),
        ("nlp/Choices", "q3", "b", 0.0, 100.0),
        ("nlp/Choices", "q4", "b", 0.0, 100.0),
        ("nlp/Errors", "q0", "a", 0.0, 2.0),
        ("nlp/Errors", "q1", "b", 0.5, 0.0),
        ("nlp/Errors", "q4", "b", 1.0, 0.5),
        ("nlp/Graded", "q1", "a", 80.0, 0.0),
        ("nlp/Graded", "q2", "b", 25.0, 100.0),
    ]
    for entry in found["instances"]:
        assert entry["label"] is not None
        assert entry["b"]["parsed"] is not None
        assert entry["a"]["parsed"] is not None or entry["a"]["error"]


def test_the_same_for_people_and_nothing_reaches_the_terminal(genlevel, two):
    said = compared(genlevel, two)
    assert "\nnlp/Choices/q1: A 0.00, B 100.00\n  A:     B (wet\\x1b[7m)\n  B:     A (dry)\n  label: A (dry)\n" in said
    assert "  A:     nothing: the provider \\x1b[1mwould not\n  B:     A (dry)" in said
    assert "\nnot compared: nlp/Pooled: single instances have no score by this metric" in said
    rows = {line.split()[0]: line.split()[-4:] for line in said.splitlines() if line.startswith((" nlp/", " all "))}
    assert rows == {
        "nlp/Choices": ["0", "1", "3", "1"],
        "nlp/Errors": ["0", "1", "2", "1"],
        "nlp/Graded": ["1", "1", "1", "2"],
        "all": ["1", "3", "6", "4"],
    }
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
    few = compared(genlevel, two, "--task", "choices", "--limit", "1")
    assert "nlp/Choices: the first 1 of 4 that differ (--limit)" in few
    assert few.count("label:") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--instances", "--task", "none"), "--task 'none' matches none of the 4 scored tasks"),
        (("--instances", "--alpha", "0.1"), "--alpha does not go with --instances"),
        (("--limit", "3"), "--limit goes with --instances"),
    ],
)
def test_options_of_the_other_comparison_are_named(genlevel, two, options, said):
    folder, one, other = two
    done = genlevel.run("compare", one, other, *options, "--out", str(folder))
    assert done.returncode == 2
    assert said in done.stderr
