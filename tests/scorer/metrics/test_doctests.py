"""The examples in the scorer's docstrings are true."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import scorer
from scorer.metrics import Metric

# These import torch, which is in no base install; they have no examples.
HEAVY = {"scorer.models.torchs", "scorer.models.video", "scorer.models.vision"}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(scorer.__path__, "scorer.")
    if ".migrations" not in module.name and module.name not in HEAVY
)
# The bases of families are no metrics.
BASES = {"scorer.metrics.base", "scorer.metrics.learned.base"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_metric_has_an_example_and_its_source() -> None:
    modules = [importlib.import_module(name) for name in MODULES if name.startswith("scorer.metrics.") and name not in BASES]
    metrics = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Metric) and kind.__module__ == module.__name__
        if not inspect.isabstract(kind) and not kind.__name__.startswith("_")
    ]
    assert len(metrics) >= 10
    for metric in metrics:
        assert metric.__doc__ is not None, metric
        assert ">>>" in metric.__doc__, metric
