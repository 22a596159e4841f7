"""``genlevel metrics``: all there are, what they need, and whether they run here."""

from __future__ import annotations

import json
from typing import Any

from genlevel.benchmark.metrics import METRICS


def test_it_lists_all_metrics_with_what_they_need(genlevel: Any) -> None:
    entries = json.loads(genlevel.run("metrics", "--json").stdout)
    by_id = {entry["metric"]: entry for entry in entries}
    assert set(by_id) == set(METRICS)
    assert len(entries) == len(METRICS)
    assert sum(entry["tasks"] for entry in entries) == 699
    assert {entry["runs"] for entry in entries} <= {"yes", "no", "in part"}
    accuracy, exact, fid = by_id["accuracy"], by_id["exact_match"], by_id["fid"]
    assert (accuracy["kind"], accuracy["direction"], accuracy["unit"]) == ("exact", "higher", "%")
    assert (exact["extra"], exact["runs"], exact["problem"]) == ("", "yes", None)
    # One of its 203 tasks has pictures made, whose class a network finds.
    assert (accuracy["extra"], accuracy["runs"]) == ("vision", "in part")
    assert accuracy["problem"].startswith("of=picture_class: ")
    assert (fid["kind"], fid["direction"], fid["extra"]) == ("model", "lower", "video, vision")
    assert {sense["parameters"]["of"]: sense["networks"] for sense in fid["senses"]} == {"inception": ["inception"], "motion": ["motion"]}
    assert by_id["gpt_score"]["needs"]
    for entry in entries:
        assert (entry["problem"] is None) == (entry["runs"] == "yes")
        assert "\n" not in (entry["problem"] or "")
    table = genlevel.run("metrics").stdout
    assert f"{len(METRICS)} metrics" in table
    assert all(metric_id in table for metric_id in by_id)


def test_weights_that_are_configured_are_looked_for_there(genlevel: Any) -> None:
    (genlevel.folder / "genlevel.yaml").write_text("scorer: {weights: {raft: raft.pth}}\n")
    networks = {entry["network"]: entry for entry in json.loads(genlevel.run("metrics", "--networks", "--json").stdout)}
    assert networks["raft"]["weights"] == "raft.pth"
    assert not networks["raft"]["ready"]
    (genlevel.folder / "genlevel.yaml").write_text("scorer: {weights: {rafft: raft.pth}}\n")
    refused = genlevel.run("metrics")
    assert refused.returncode == 2
    assert "scorer.weights.rafft: no network has this name" in refused.stderr
