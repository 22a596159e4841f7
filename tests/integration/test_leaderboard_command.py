"""`genlevel leaderboard` over real runs: the largest of each model and suite, beside what was published."""

from __future__ import annotations

import json


def test_the_largest_run_of_each_model_is_ranked_beside_published_ones(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    suite = str(choice_suite(6, tasks=("Causal-Reasoning", "Commonsense-Reasoning")))
    first = ("eval", "--model", "small", "--base-url", stub.base_url, "--suite", suite, "--json")
    assert genlevel.run(*first, "--limit", "3").returncode == 0
    newest = json.loads(genlevel.run(*first).stdout)["run"]
    small = json.loads(genlevel.run(*first, "--limit", "1", "--tasks", "*Causal*").stdout)["run"]
    assert (
        genlevel.run("eval", "--model", "other", "--base-url", stub.base_url, "--suite", suite, "--tasks", "*Causal*", "--json").returncode
        == 0
    )

    board = json.loads(genlevel.run("leaderboard", "--modality", "language", "--published", "--json").stdout)
    measured = {model["model"]: model for model in board["models"] if model["measured"]}
    assert set(measured) == {"small", "other"}
    assert measured["small"]["run"] == newest
    assert measured["small"]["asked"] == 2
    (note,) = board["notes"]
    assert f"run {newest} (12); not shown: run " in note
    assert f"run {small} (1, a part)" in note
    assert measured["other"]["asked"] == 1
    assert all(model["partial"] for model in measured.values())
    assert {model["model"] for model in board["models"] if model["published"]} >= {"GPT-4V", "Meta-Llama-3.1-8B-Instruct"}
    assert "GPT-4V" in genlevel.run("leaderboard", "--modality", "language", "--published").stdout

    image = json.loads(genlevel.run("leaderboard", "--modality", "image", "--json").stdout)
    assert image["models"] == []
    assert any("none of this board's tasks" in note for note in image["notes"])


def test_runs_of_different_data_under_one_suite_name_are_kept_apart(genlevel, stub_upstream, choice_suite):
    url = stub_upstream().base_url
    runs = []
    for suite in (choice_suite(3), choice_suite(4, name="other/bench")):
        done = genlevel.run("eval", "--model", "m", "--base-url", url, "--suite", str(suite), "--json")
        runs.append(json.loads(done.stdout)["run"])
    compared = genlevel.run("compare", *runs)
    assert compared.returncode == 2
    assert f"run {runs[0]} and run {runs[1]} have different data, though both suites are named 'bench'" in compared.stderr
    assert len(compared.stderr.strip().splitlines()) == 1
    board = json.loads(genlevel.run("leaderboard", "--modality", "language", "--json").stdout)
    assert {model["run"] for model in board["models"]} == set(runs)
    assert board["notes"] == [
        f"runs {runs[1]} and {runs[0]} of m have different data, though both suites are named 'bench'"
        " (such as nlp/Causal-Reasoning): shown apart"
    ]


def test_the_published_board_needs_no_runs(genlevel):
    done = genlevel.run("leaderboard", "--published")
    assert done.returncode == 0, done.stderr
    assert "Mini-Gemini" in done.stdout
    assert "not measured here" in done.stdout
    alone = genlevel.run("leaderboard")
    assert alone.returncode == 2
    assert "--out" in alone.stderr


def test_a_board_that_does_not_exist_is_one_line(genlevel):
    done = genlevel.run("leaderboard", "--published", "--scope", "C", "--modality", "image")
    assert done.returncode == 2
    assert "--paradigm" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_run_of_which_nothing_came_has_no_levels_and_is_on_no_board(genlevel, stub_upstream, choice_suite):
    url = stub_upstream(status=401).base_url
    result = json.loads(genlevel.run("eval", "--model", "m", "--base-url", url, "--suite", str(choice_suite(2)), "--json").stdout)
    assert (result["level"], result["certified"], result["level_asked"]) == (None, None, None)
    assert [task["note"] for task in result["tasks"]] == ["incomplete: 2 pending of 2 instances"]
    assert "there is nothing to score" in genlevel.run("show", result["run"]).stdout
    for command in (("show", result["run"], "--by", "modality"), ("synergy", result["run"])):
        refused = genlevel.run(*command)
        assert (refused.returncode, refused.stderr.strip()) == (2, f"genlevel: run {result['run']} has no scored task yet")
    board = json.loads(genlevel.run("leaderboard", "--modality", "language", "--json").stdout)
    assert board["models"] == []
    assert board["notes"] == [f"run {result['run']} of m has no scored task yet"]
