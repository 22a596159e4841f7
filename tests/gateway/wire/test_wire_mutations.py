"""Recorded answers with something missing, null or of another type: an answer, or one of the failures that converters may raise."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.adapters.base import ProviderError, error_of
from gateway.answering.errors import error_class
from gateway.answering.replies import UNREAD
from genlevel.runtime.errors import ErrorClass
from genlevel.runtime.settings import Api
from tests.gateway.wire import test_wire_chat, test_wire_responses
from tests.gateway.wire.conftest import Place
from tests.gateway.wire.recordings import calls

ODD: tuple[Any, ...] = (None, 0, -1, 1.5, 10**30, True, "", "text", "\ud83d", [], [None], ["x"], {}, {"x": 1}, [[]], [{}])
PLACES = {
    "chat": test_wire_chat.place_of,
    "responses": test_wire_responses.place_of,
    "messages": lambda one: Place("anthropic", one.request["model"], Api.MESSAGES),
}


def holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a body: what holds it, and its name or number there."""
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from holders(value[name])


def mutated(body: Any, chance: random.Random) -> Any:
    """A copy with one to three places changed."""
    body = copy.deepcopy(body)
    for _ in range(chance.randint(1, 3)):
        places = list(holders(body))
        if not places:
            break
        holder, name = chance.choice(places)
        if chance.random() < 0.3:
            del holder[name]
        else:
            holder[name] = chance.choice(ODD)
    return body


@pytest.mark.full
@pytest.mark.parametrize("endpoint", list(PLACES))
def test_an_answer_of_any_shape_is_one_or_a_failure_that_converters_may_raise(endpoint: str, wire: Path) -> None:
    chance = random.Random(12)
    read = failed = 0
    for recording in calls(wire, {endpoint}, streamed=False):
        place: Place = PLACES[endpoint](recording)
        for _ in range(6):
            body = mutated(recording.response, chance)
            if recording.status >= 300:
                error = error_of(recording.status, body, {})
                assert isinstance(error, ProviderError)
                assert error_class(error) in ErrorClass
                continue
            if not isinstance(body, dict):
                continue
            used, _ = place.adapter.usage(body)
            assert used.ByteSize() >= 0
            try:
                answer = place.adapter.answer(body)
            except UNREAD:
                failed += 1
            else:
                read += 1
                assert all(part.WhichOneof("part") for part in answer.parts), orjson.dumps(body)
    print(f"{endpoint}: {read} read, {failed} failed")
    assert min(read, failed) > 0
