"""The examples in the scorer's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import scorer

MODULES = sorted(module.name for module in pkgutil.walk_packages(scorer.__path__, "scorer.") if ".migrations" not in module.name)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_metric_has_an_example_and_its_source() -> None:
    from scorer.metrics import classification, detection, text

    for module in (classification, detection, text):
        for metric in vars(module).values():
            if isinstance(metric, type) and metric.__module__ == module.__name__ and not metric.__name__.startswith("_"):
                assert metric.__doc__ is not None
                assert ">>>" in metric.__doc__, metric
