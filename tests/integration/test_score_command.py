"""``genlevel score``: prediction files in, scores and a workbook for the official ranker out."""

from __future__ import annotations

import json

import pytest

from genlevel.benchmark.suites import load_suite


def write_predictions(folder, entries, *, wrapped=False):
    folder.mkdir(parents=True, exist_ok=True)
    document = {"task": "t", "skill": "s", "type": "x", "data": entries} if wrapped else entries
    (folder / "prediction.json").write_text(json.dumps(document), encoding="utf-8")


def score(genlevel, annotations, predictions, *more):
    return genlevel.run(
        "score", "--annotations", str(annotations), "--predictions", str(predictions), "--model", "mine", "--out", "r.xlsx", *more
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_both_forms_are_read_and_the_workbook_gives_the_same_levels(genlevel, choice_suite, tmp_path, wrapped):
    entries = [{"id": f"q{n:05d}", "prediction": "A" if n < 6 else "B"} for n in range(8)]
    write_predictions(tmp_path / "p" / "nlp" / "Causal-Reasoning", entries, wrapped=wrapped)
    done = score(genlevel, choice_suite(8), tmp_path / "p", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["tasks"][0]["score"] == 75
    assert result["instances"]["answered"] == 8
    level = json.loads(genlevel.run("level", "r.xlsx", "--model", "mine", "--json").stdout)
    assert level["certified"]["tasks"][0]["units"] == 8
    assert level["language"]["wins"] == result["level"]["language"]["wins"] == 1
    assert level["levels"] == result["level"]["levels"]
    official = genlevel.run("level", "r.xlsx", "--model", "mine", "--rules", "official", "--json")
    assert official.returncode == 0, official.stderr


def test_the_document_is_that_of_a_run_and_certifies_alike(genlevel, stub_upstream, choice_suite):
    suite = choice_suite(40)
    url = stub_upstream(answer="Answer: A").base_url
    run = json.loads(genlevel.run("eval", "--model", "mine", "--base-url", url, "--suite", str(suite), "--json").stdout)
    assert genlevel.run("export", run["run"], "--format", "predictions", "--to", "p").returncode == 0
    scored = json.loads(score(genlevel, suite, "p", "--json").stdout)
    assert list(scored) == [*run, "predictions"]
    for part in ("instances", "level", "level_asked", "certified"):
        assert list(scored[part]) == list(run[part])
    assert scored["usage"].keys() >= run["usage"].keys()
    assert scored["certified"] == run["certified"]
    assert scored["certified"]["tasks"][0]["test"] == "exact binomial"
    assert scored["tasks"] == run["tasks"]
    assert (scored["run"], scored["judging"]) == (None, None)
    assert set(scored["usage"].values()) == {None}
    lines = score(genlevel, suite, "p").stdout.splitlines()
    (head,) = (number for number, line in enumerate(lines) if line.startswith("certified: "))
    assert lines[head + 1].startswith("paper's point rule: ")


def test_the_official_rules_are_asked_for_and_said(genlevel, choice_suite, tmp_path):
    suite = choice_suite(4)
    write_predictions(tmp_path / "p" / "nlp" / "Causal-Reasoning", [{"id": f"q{n:05d}", "prediction": "A"} for n in range(4)])
    (task,) = json.loads(score(genlevel, suite, tmp_path / "p", "--variant", "official", "--json").stdout)["tasks"]
    assert (task["metric"], task["variant"], task["score"]) == ("accuracy", "official", 100)
    assert "(official)" in score(genlevel, suite, tmp_path / "p", "--variant", "official").stdout
    assert "--variant" in score(genlevel, suite, tmp_path / "p", "--variant", "other").stderr


def test_what_does_not_fit_is_reported_and_never_dropped(genlevel, choice_suite, tmp_path):
    entries = [
        {"id": "q00000", "prediction": "A"},
        {"id": "q00000", "prediction": "B"},
        {"id": "stranger", "prediction": "A"},
        {"id": "q00001"},
        "not an entry",
    ]
    write_predictions(tmp_path / "p" / "nlp" / "Causal-Reasoning", entries)
    done = score(genlevel, choice_suite(4), tmp_path / "p", "--json")
    result = json.loads(done.stdout)
    assert result["tasks"][0]["n"] == 4
    assert result["tasks"][0]["score"] == 25, "the first of two counts, a missing one is wrong"
    for said in ("q00000", "stranger", "q00001"):
        assert said in done.stderr, said
    assert json.loads(done.stdout)["predictions"]["tasks"][0]["missing"] == ["q00001", "q00002", "q00003"]


def test_a_partial_runs_predictions_score_as_it_did_and_are_marked_partial(genlevel, stub_upstream, choice_suite):
    suite = choice_suite(9, ("Causal-Reasoning", "Abductive-Reasoning"))
    url = stub_upstream(answer="Answer: A").base_url
    arguments = ("eval", "--model", "mine", "--base-url", url, "--suite", str(suite), "--limit", "4", "--tasks", "*Causal*", "--json")
    run = json.loads(genlevel.run(*arguments).stdout)
    genlevel.run("export", run["run"], "--format", "predictions", "--to", "p")
    done = score(genlevel, suite, "p", "--only-predicted", "--json")
    assert done.returncode == 0, done.stderr
    scored = json.loads(done.stdout)
    for part in ("instances", "tasks", "level", "level_asked", "certified", "partial"):
        assert scored[part] == run[part]
    assert (scored["partial"], scored["tasks"][0]["partial"], scored["tasks"][0]["score"]) == (True, True, 100)
    assert scored["predictions"]["problems"] == ["nlp/Causal-Reasoning: 5 of 9 instances without a prediction: left out"]
    (task,) = json.loads(score(genlevel, suite, "p", "--tasks", "*Causal*", "--json").stdout)["tasks"]
    assert (task["n"], task["score"]) == (9, pytest.approx(400 / 9))
    assert "matches none of the 2 tasks" in score(genlevel, suite, "p", "--tasks", "Casual").stderr


def test_a_null_is_a_prediction_and_a_shipped_suite_has_its_name(genlevel, choice_suite, tmp_path):
    entries = [{"id": "q00000", "prediction": "A"}, {"id": "q00001", "prediction": None}]
    write_predictions(tmp_path / "p" / "nlp" / "Causal-Reasoning", entries)
    (task,) = json.loads(score(genlevel, choice_suite(5), tmp_path / "p", "--only-predicted", "--json").stdout)["tasks"]
    assert (task["n"], task["score"]) == (2, 50)
    elsewhere = score(genlevel, "starter", tmp_path / "p", "--only-predicted")
    assert elsewhere.returncode == 2
    assert "none of its predictions belongs to a task" in elsewhere.stderr
    shipped = load_suite("starter").tasks[0]
    write_predictions(tmp_path / "s" / shipped.key, [{"id": one.id, "prediction": one.label} for one in shipped.labelled()])
    done = score(genlevel, "starter", tmp_path / "s", "--only-predicted", "--json")
    assert [task["score"] for task in json.loads(done.stdout)["tasks"]] == [100], done.stderr


def test_a_file_without_a_prediction_of_its_task_leaves_the_task_out(genlevel, choice_suite, tmp_path):
    suite = choice_suite(2, ("Causal-Reasoning", "Abductive-Reasoning"))
    write_predictions(tmp_path / "p" / "nlp" / "Abductive-Reasoning", [{"id": "another", "prediction": "A"}])
    refused = score(genlevel, suite, tmp_path / "p", "--only-predicted")
    assert (refused.returncode, "there is nothing to score" in refused.stderr) == (2, True)
    write_predictions(tmp_path / "p" / "nlp" / "Causal-Reasoning", [{"id": "q00000", "prediction": "A"}])
    scored = json.loads(score(genlevel, suite, tmp_path / "p", "--only-predicted", "--json").stdout)
    assert [task["key"] for task in scored["tasks"]] == ["nlp/Causal-Reasoning"]
    assert scored["level_asked"]["language"]["tasks"] == 1
    assert any("'another'" in problem for problem in scored["predictions"]["problems"])


@pytest.mark.parametrize("text", ["", "{", "3", '{"data": 5}', '[{"id": "q00000", "prediction": "A"}'])
def test_a_file_that_is_no_list_of_predictions_is_named(genlevel, choice_suite, tmp_path, text):
    folder = tmp_path / "p" / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    (folder / "prediction.json").write_text(text)
    done = score(genlevel, choice_suite(1), tmp_path / "p")
    assert done.returncode == 2
    assert "prediction" in done.stderr
    assert not (genlevel.folder / "r.xlsx").exists()


def test_folders_that_are_not_there_are_named(genlevel, choice_suite, tmp_path):
    assert "nowhere" in score(genlevel, tmp_path / "nowhere", tmp_path).stderr
    done = score(genlevel, choice_suite(1), tmp_path / "nowhere")
    assert (done.returncode, "nowhere" in done.stderr) == (2, True)


@pytest.mark.full
def test_the_labels_of_the_real_open_set_score_100_in_every_task(genlevel, openset, tmp_path):
    for task in load_suite(str(openset)).tasks:
        any_counts = ("label", "number", "short_text", "long_text")
        entries = [
            {"id": one.id, "prediction": one.label[0] if one.answer_type.value in any_counts else one.label} for one in task.instances()
        ]
        write_predictions(tmp_path / "p" / task.key, entries)
    result = json.loads(score(genlevel, openset, tmp_path / "p", "--json").stdout)
    assert {task["score"] for task in result["tasks"]} == {100}
    assert len(result["tasks"]) == 12
    assert result["instances"]["answered"] == result["instances"]["total"] > 1_600


@pytest.mark.full
@pytest.mark.parametrize("nothing", ["", None, [], {}, " "])
def test_empty_predictions_of_the_real_open_set_score_0_and_are_counted_as_unparsable(genlevel, openset, tmp_path, nothing):
    for task in load_suite(str(openset)).tasks:
        write_predictions(tmp_path / "p" / task.key, [{"id": one.id, "prediction": nothing} for one in task.instances()])
    result = json.loads(score(genlevel, openset, tmp_path / "p", "--json").stdout)
    said = {"[]", "{}"}  # "nothing is there" is an answer of its own where items or boxes are asked for, and wrong all the same
    assert {task["score"] for task in result["tasks"]} == {0}
    counts = result["instances"]
    assert counts["unparsable"] + counts["answered"] == counts["total"] > 1_600
    assert counts["answered"] == 0 or json.dumps(nothing) in said


def test_instances_that_share_a_text_have_the_standard_error_that_a_run_gives_them(genlevel, stub_upstream, tmp_path):
    folder = tmp_path / "bench" / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    data = [
        {
            "id": f"q{n}",
            "input": {"text": f"Story {n // 3}.", "question": "Which?", "options": [f"a{n}", f"b{n}"]},
            "output": {"answer": "A" if n // 3 % 2 else "B"},
        }
        for n in range(24)
    ]
    (folder / "annotation.json").write_text(json.dumps({"task": "t", "type": "MultipleChoiceQA", "data": data}))
    suite = str(tmp_path / "bench")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub_upstream().base_url, "--suite", suite, "--json")
    run = json.loads(done.stdout)
    assert genlevel.run("export", run["run"], "--format", "predictions", "--to", "p").returncode == 0
    scored = json.loads(score(genlevel, suite, "p", "--json").stdout)
    assert scored["tasks"][0]["score"] == run["tasks"][0]["score"] == 50
    alone = 100 * (0.25 / 23) ** 0.5
    assert scored["tasks"][0]["stderr"] == pytest.approx(run["tasks"][0]["stderr"])
    assert scored["tasks"][0]["stderr"] > 1.5 * alone
