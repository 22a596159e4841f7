"""Addresses of single answers."""

from __future__ import annotations

from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.callers import Caller
from genlevel.runtime.errors import UsageError
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.page import Asked
from genlevel.web.places import MEDIA_OF, AnswerPlace

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
NUMBERS = st.integers(0, 2**32 - 1)


def _asked(address: str, run: str) -> Asked:
    split = urlsplit(address)
    query = parse_qs(split.query, keep_blank_values=True)
    return Asked(cast("object", None), Settings(), cast(Caller, None), {"run": run}, query)  # type: ignore[arg-type]


@given(NAMES, NAMES, NUMBERS, NUMBERS, NUMBERS)
def test_an_address_leads_back_to_its_answer(task: str, instance: str, variant: int, repeat: int, shuffle: int) -> None:
    place = AnswerPlace("0123abcd", task, instance, variant, repeat, shuffle)
    for address in (place.answer_address([("text", "a&b")]), place.media_address("label", 3), place.mask_address("answer", frame=7)):
        assert urlsplit(address).path.startswith("/runs/0123abcd/")
        assert not urlsplit(address).fragment
        assert AnswerPlace.asked(_asked(address, "0123abcd")) == place


def test_a_medium_is_asked_for_by_its_place_alone() -> None:
    request = AnswerPlace("r", "t", "i", 1, 2, 3).request(MEDIA_OF["label"], 4, 5, 6)
    assert request == ev.ReadMediaRequest(
        run_id="r", task="t", instance_id="i", variant=1, repeat=2, shuffle=3, of=ev.MEDIA_OF_LABEL, position=4, offset=5, length=6
    )


@pytest.mark.parametrize(
    ("query", "named"),
    [("?instance=1", "task"), ("?task=a", "instance"), ("?task=a&instance=1&repeat=x", "repeat"), ("?task=a&task=b&instance=1", "task")],
)
def test_an_address_that_names_no_answer_says_what_is_missing(query: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        AnswerPlace.asked(_asked(f"/runs/r/answer{query}", "r"))
