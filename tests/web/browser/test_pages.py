"""Every page in a real browser: whole, readable for all, in the light, in the dark, on a phone and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from genlevel.web.rows import PAGES
from tests.web.browser.stored_data import StoredData

if TYPE_CHECKING:
    from tests.web.browser.looking import Looking

Addresses = Callable[[StoredData], list[str]]


def _answers(stored: StoredData) -> list[str]:
    """Of each of the newest two runs, one about a picture and one about a text."""
    found = [{place.task.partition("/")[0]: place for place in stored.answers[run]} for run in stored.runs[:2]]
    return [place.answer_address() for places in found for place in places.values()]


ADDRESSES: Mapping[str, Addresses] = {
    "/runs/{run}/answer": _answers,
    "/compare": lambda stored: [f"/compare?run={stored.runs[0]}&run={stored.runs[-1]}"],
    "/compare/instances": lambda stored: [
        f"/compare/instances?run={stored.runs[0]}&run={stored.runs[-1]}&task={quote(stored.answers[stored.runs[0]][0].task)}"
    ],
}
"""Of pages that need more than a run's or a monitor's name."""


def addresses(path: str, stored: StoredData) -> list[str]:
    """Where a row of pages is, over what is stored."""
    if path in ADDRESSES:
        return ADDRESSES[path](stored)
    if "{run}" in path:
        return [path.replace("{run}", run) for run in stored.runs[:2]]
    if "{name}" in path:
        return [path.replace("{name}", quote(name)) for name in stored.monitors[:2]]
    assert "{" not in path, f"{path}: say in ADDRESSES where it is"
    return [path]


@pytest.mark.parametrize("path", [row.path for row in PAGES])
def test_a_page_is_whole_in_all_looks(path: str, looking: Looking, stored: StoredData) -> None:
    found = addresses(path, stored)
    assert found, f"{path}: nothing is stored that it shows"
    name = path.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "home"
    looking.check(found[0], name=f"{name}-0")
    for number, address in enumerate(found[1:], 1):
        looking.check(address, name=f"{name}-{number}", looks=("light", "phone"))


def test_a_page_that_is_not_there_says_so(looking: Looking) -> None:
    page = looking.open("/runs/none-of-these/card")
    assert page.inner_text("[role=alert]")
    page.close()
