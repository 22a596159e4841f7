"""Recorded streams of Bedrock, Cohere and Ollama that are cut off at any byte: a failure or the whole answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.streams.cutting import Kind, wrong_cuts
from tests.gateway.streams.test_bedrock_streams import KIND as BEDROCK
from tests.gateway.streams.test_cohere_and_ollama_streams import CHAT, COHERE, GENERATE
from tests.gateway.wire.recordings import calls

LONGEST = 5_000
"""Bytes of those that are cut, which takes time that grows with its square."""
REFUSED = b"guardrail_intervened"
KINDS: dict[str, tuple[str, str, Kind]] = {
    "bedrock": ("bedrock.native", "/converse-stream", BEDROCK),
    "cohere": ("cohere.native", "/v2/chat", COHERE),
    "ollama chat": ("ollama.native", "/api/chat", CHAT),
    "ollama prompts": ("ollama.native", "/api/generate", GENERATE),
}


@pytest.mark.full
@pytest.mark.parametrize("name", KINDS)
def test_a_recorded_stream_that_is_cut_off_is_a_failure_or_the_whole_answer(wire: Path, name: str) -> None:
    endpoint, path, kind = KINDS[name]
    whole = [
        one
        for one in calls(wire, {endpoint}, streamed=True)
        if one.url_path.endswith(path) and one.status == 200 and one.is_whole and REFUSED not in one.body
    ]
    short = [one for one in whole if len(one.body) < LONGEST] or [min(whole, key=lambda one: len(one.body))]
    cut = {one.name: wrong_cuts(kind, one.body) for one in short}
    print(f"{name}: {len(short)} streams, cut at {sum(len(one.body) for one in short)} places")
    assert not any(cut.values()), cut
