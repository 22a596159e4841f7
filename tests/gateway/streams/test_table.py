"""What a request has that asks for a stream."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.adapters import ADAPTERS
from gateway.providers import PROVIDERS
from gateway.streams.table import STREAMS
from genlevel.runtime.settings import Api

USAGE = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    ("provider", "api", "expected"),
    [
        ("openai", Api.CHAT, USAGE),
        ("openai", Api.RESPONSES, {"stream": True}),
        ("anthropic", Api.MESSAGES, {"stream": True}),
        ("groq", Api.CHAT, USAGE),
        ("vllm", Api.CHAT, USAGE),
        ("mistral", Api.CHAT, {"stream": True}),  # refuses to be asked: 422 extra_forbidden
    ],
)
def test_usage_is_asked_for_where_it_must_be_and_may_be(provider: str, api: Api, expected: dict[str, Any]) -> None:
    row, body = PROVIDERS[provider], dict[str, object]()
    STREAMS[row.dialect, api].ask(body, row)
    assert body == expected


def test_what_streams_is_an_api_that_answers_whole_too() -> None:
    assert STREAMS.keys() <= ADAPTERS.keys()
