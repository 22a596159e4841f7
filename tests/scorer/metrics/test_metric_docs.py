"""docs/scoring-metrics.md says what the registry and the networks' catalogue say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genlevel.benchmark.metrics import METRICS
from scorer.metrics import create
from scorer.metrics.listing import listing
from scorer.models import NETWORKS


@pytest.fixture(scope="module")
def rows(repository: Path) -> list[list[str]]:
    """The cells of every row of the document's tables."""
    text = (repository / "docs" / "scoring-metrics.md").read_text("utf-8")
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| ")]


def test_the_table_of_metrics_is_in_step_with_the_registry(rows: list[list[str]]) -> None:
    told = {row[0]: row for row in rows if len(row) == 8 and row[0] in METRICS}
    assert list(told) == list(METRICS)
    extras = {listed.info.id: ", ".join(listed.extras) or "-" for listed in listing()}
    for info in METRICS.values():
        assert told[info.id][1:6] == [", ".join(info.labels), info.direction, info.unit or "-", info.kind, extras[info.id]], info.id
        definition, source = told[info.id][6:]
        assert len(definition) > 20
        assert source


def test_the_table_of_networks_is_in_step_with_their_catalogue(rows: list[list[str]]) -> None:
    told = {row[0]: row for row in rows if len(row) == 5 and row[0] in NETWORKS}
    assert list(told) == list(NETWORKS)
    for network in NETWORKS.values():
        default = network.default or "a file has to be named"
        assert told[network.name][1:] == [network.purpose, default, network.extra, network.form]


def test_variants_that_the_table_names_are_there(rows: list[list[str]]) -> None:
    named = {(row[0], variant) for row in rows if len(row) == 8 and row[0] in METRICS for variant in re.findall(r"`(\w+)`", row[6])}
    assert ("psnr", "official") in named
    for metric_id, variant in named:
        assert create(metric_id, variant=variant, measuring=False) is not None, (metric_id, variant)
    official = {
        listed.info.id
        for listed in listing()
        for sense in listed.senses
        if create(listed.info.id, dict(sense.parameters), "official", measuring=False) is not None
    }
    assert official == {metric_id for metric_id, variant in named if variant == "official"}
