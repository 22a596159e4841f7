"""What a task needs of its scorer is what the networks of its metric need."""

from __future__ import annotations

import tomllib
from pathlib import Path

from genlevel.benchmark.metrics import METRICS, Kind, Need
from genlevel.benchmark.model import TaskMetric
from genlevel.benchmark.needs import need_of
from scorer.metrics.listing import listing
from scorer.models import NETWORKS

_MODULES = {"torch": "torch", "torch-fidelity": "torch_fidelity", "torchvision": "torchvision", "transformers": "transformers"}


def test_each_sense_of_each_metric_needs_the_extra_whose_packages_its_networks_import() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    brought = {
        extra: {_MODULES.get(line.partition(">=")[0], line.partition(">=")[0]) for line in extras[extra]}
        for extra in ("vision", "video", "audio")
    }
    senses = [(listed.info, sense) for listed in listing() for sense in listed.senses]
    assert len(senses) > len(METRICS) - 1
    for info, sense in senses:
        need = need_of(TaskMetric(info.id, info.labels[0], sense.parameters))
        networks = [NETWORKS[name] for name in sense.networks]
        assert (need is Need.ANY) == (not networks), info.id
        if networks:
            assert need.value in {network.extra for network in networks}, info.id
            assert {module for network in networks for module in network.imports} <= brought[need], (info.id, sense.parameters)


def test_metrics_of_networks_need_one_in_every_sense() -> None:
    for info in METRICS.values():
        assert (need_of(TaskMetric(info.id, info.labels[0])) is not Need.ANY) == (info.kind is Kind.MODEL), info.id


def test_what_is_not_in_the_registry_needs_nothing() -> None:
    assert need_of(None) is Need.ANY
    assert need_of(TaskMetric("of_next_year", "New")) is Need.ANY
