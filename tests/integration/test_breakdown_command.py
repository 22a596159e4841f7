"""`genlevel show RUN --by ...`: a run's results by groups of tasks."""

from __future__ import annotations

import json

import pytest


def test_a_run_is_broken_down_by_skill_domain_and_capability(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    suite = str(choice_suite(4, tasks=("Causal-Reasoning", "Commonsense-Reasoning")))
    done = genlevel.run("eval", "--model", "small", "--base-url", stub.base_url, "--suite", suite, "--json")
    result = json.loads(done.stdout)

    skills = json.loads(genlevel.run("show", result["run"], "--by", "skill", "--json").stdout)
    assert len(skills["groups"]) == 145
    first = skills["groups"][0]
    assert (first["id"], first["skill"], first["tasks"], first["asked"]) == ("L-1", "Cognitive Question Answering", 9, 2)
    total = sum(task["sigma"] for task in result["tasks"])
    assert first["mean_sigma"] == pytest.approx(total / 9)
    assert first["mean_sigma_asked"] == pytest.approx(total / 2)
    assert first["wins"] == sum(task["win"] for task in result["tasks"])

    for by in ("domain", "capability", "modality"):
        groups = json.loads(genlevel.run("show", result["run"], "--by", by, "--json").stdout)["groups"]
        assert sum(group["asked"] for group in groups) == 2, by
        assert all(by in group for group in groups)
    shown = genlevel.run("show", result["run"], "--by", "skill").stdout
    assert "Cognitive Question Answering" in shown
    assert "144 of 145 groups were not asked" in shown

    both = genlevel.run("show", result["run"], "--by", "skill", "--failures")
    assert both.returncode == 2
    assert "give one" in both.stderr
