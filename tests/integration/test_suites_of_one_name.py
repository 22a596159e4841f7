"""Two folders of one name with different content are two suites for every command."""

from __future__ import annotations

import json


def test_every_command_tells_two_suites_of_one_name_apart(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    tasks = ("Causal-Reasoning", "Commonsense-Reasoning")
    one, other = choice_suite(4, tasks=tasks), choice_suite(4, tasks=tasks, name="other/bench")
    annotation = other / "nlp" / "Causal-Reasoning" / "annotation.json"
    annotation.write_text(annotation.read_text().replace('"answer": "A"', '"answer": "B"'))
    ask = ("eval", "--model", "m", "--base-url", stub.base_url, "--json", "--suite")
    first, second = (json.loads(genlevel.run(*ask, str(folder)).stdout) for folder in (one, other))
    assert (first["suite"], second["suite"]) == ("bench", "bench")
    names = [f"bench@{result['suite_hash'][:8]}" for result in (first, second)]
    assert names[0] != names[1]

    listed = genlevel.run("runs").stdout
    assert all(name in listed for name in names)
    board = json.loads(genlevel.run("leaderboard", "--modality", "language", "--json").stdout)
    assert {(row["run"], row["suite_hash"]) for row in board["models"]} == {(run["run"], run["suite_hash"]) for run in (first, second)}
    (note,) = board["notes"]
    assert "have different data, though both suites are named 'bench'" in note
    text = genlevel.run("leaderboard", "--modality", "language").stdout
    assert all(name in text for name in names)
    chosen = json.loads(genlevel.run("leaderboard", "--modality", "language", "--suite", names[1], "--json").stdout)
    assert [row["run"] for row in chosen["models"]] == [second["run"]]
    assert len(json.loads(genlevel.run("leaderboard", "--suite", "bench", "--modality", "language", "--json").stdout)["models"]) == 2
    refused = genlevel.run("leaderboard", "--suite", "bench@nothing")
    assert refused.returncode == 2
    assert refused.stderr == f"genlevel: no run is on a suite 'bench@nothing'; known are: {', '.join(sorted(names))}\n"

    compared = genlevel.run("compare", first["run"], second["run"]).stdout
    said = f"two suites of one name (A on {names[0]}, B on {names[1]}): compared are the 1 task(s) whose data are the same in both"
    assert said in compared
    assert "not compared: Causal Reasoning: the runs have different data here" in compared
    alone = genlevel.run("compare", first["run"], first["run"]).stdout
    assert "two suites of one name" not in alone

    series = (genlevel.folder / "genlevel-data" / "runs" / second["run"] / "metrics.prom").read_text()
    for name in names:
        assert f'partial="false",suite="bench",suite_hash="{name[6:]}"' in series


def test_a_part_takes_nobodys_place(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    suite = str(choice_suite(6))
    ask = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", suite, "--json")
    whole = json.loads(genlevel.run(*ask).stdout)
    part = json.loads(genlevel.run(*ask, "--limit", "2").stdout)
    assert part["suite_hash"] == whole["suite_hash"]
    series = (genlevel.folder / "genlevel-data" / "runs" / part["run"] / "metrics.prom").read_text()
    lines = [line for line in series.splitlines() if line.startswith("genlevel_instances{") and 'outcome="answered"' in line]
    counts = {'partial="true"' in line: float(line.rsplit(" ", 1)[1]) for line in lines}
    assert counts == {False: 6.0, True: 2.0}
    board = json.loads(genlevel.run("leaderboard", "--modality", "language", "--json").stdout)
    assert [row["run"] for row in board["models"]] == [whole["run"]]
    assert f"not shown: run {part['run']} (2, a part)" in board["notes"][0]
