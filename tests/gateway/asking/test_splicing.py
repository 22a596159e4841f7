"""A body whose media are written into its JSON is the same, byte by byte, as one that was JSON with them."""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import ADAPTERS
from gateway.adapters.base import Adapter
from gateway.adapters.blocks import Ask, Audio, Image, Turn
from gateway.adapters.ollama import OllamaGenerate
from gateway.media import decoded
from gateway.splicing import Splice, base64_text
from genlevel.v1 import gateway_pb2 as gw

MEDIA = [b"", b"a", b"ab", b"\xff\xfe\xfd" * 1000, bytes(range(256))]


def body_of(adapter: Adapter, put: object) -> dict[str, object]:
    assert callable(put)
    pictures = [Image("image/png", base64=put(data), detail="low") for data in MEDIA]
    sounds = [Audio("audio/wav", put(b"snd"))] if adapter.capabilities.audio_types else []
    turns = [
        Turn("system", ["be short"]),
        Turn("user", ['what is this? :0: \\ "', *pictures, *sounds]),
        Turn("assistant", ["ok"]),
        Turn("user", [Image("image/gif", uri="https://x/y")]),
    ]
    asked = turns[:2] if isinstance(adapter, OllamaGenerate) else turns  # it takes one message, and what is said before all
    return adapter.request("m", Ask(asked, gw.GenerationParameters(max_output_tokens=5)))


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=lambda adapter: type(adapter).__name__)
def test_every_adapters_body_is_the_same_with_its_media_spliced_in(adapter: Adapter) -> None:
    splice = Splice()
    written = splice.written(body_of(adapter, splice.put))
    assert b"".join(map(bytes, written)) == orjson.dumps(body_of(adapter, base64_text))
    assert len(written) > len(MEDIA)
    assert splice.size == sum(map(len, MEDIA)) + (3 if adapter.capabilities.audio_types else 0)


def test_media_may_come_twice_and_in_another_order() -> None:
    splice = Splice()
    first, second = splice.put(b"first"), splice.put(b"second")
    assert b"".join(map(bytes, splice.written({"a": second, "b": [first, second, first + second]}))) == orjson.dumps(
        {
            "a": base64_text(b"second"),
            "b": [base64_text(b"first"), base64_text(b"second"), base64_text(b"first") + base64_text(b"second")],
        }
    )


@given(st.text(), st.text())
def test_text_is_left_as_it_is(before: str, after: str) -> None:
    splice = Splice()
    body = {"a": before, "b": splice.put(b"x"), "c": [after, before]}
    assert b"".join(map(bytes, splice.written(body))) == orjson.dumps({"a": before, "b": "eA==", "c": [after, before]})


def test_a_body_without_media_is_one_piece() -> None:
    assert Splice().written({"a": 1}) == [b'{"a":1}']


@pytest.mark.parametrize("text", ["", "YQ==", "YWI=", "YWJj", "YWJj=", "YWJj==", "YQ", "Y", "YQ=", "YWJj\n", "YW Jj", "YW-_", "é"])
def test_an_answers_base64_is_read_as_python_reads_it(text: str) -> None:
    try:
        expected = base64.b64decode(text, validate=True)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            decoded(text)
    else:
        assert decoded(text) == expected
