"""Tests that share what costs much are run by one worker."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("alone")
def test_groups_hold(request: pytest.FixtureRequest) -> None:
    """A pytest-xdist that does not know pytest's way of naming tests shares groups among all workers, and says nothing."""
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@alone"), "install the versions of pytest and pytest-xdist that constraints.txt names"
