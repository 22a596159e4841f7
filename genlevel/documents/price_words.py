"""A price as a document, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

# What else may have a price, in words.
_BESIDE = {
    "cache_read": "read from a cache",
    "cache_write": "written to a cache",
    "cache_write_hour": "written for an hour",
    "image_input": "pictures in",
    "audio_input": "sound in",
    "cache_read_audio": "sound from a cache",
    "image_output": "pictures out",
    "audio_output": "sound out",
    "characters": "a million characters read aloud",
    "per_image": "an image",
    "per_second": "a second",
    "per_input_second": "a second of sound in",
    "per_call": "a call",
}
_PIECES = ("characters", "per_image", "per_second", "per_input_second", "per_call")


def price_document(price: gw.Price) -> Document:
    """A price with what is set of it: decimals as text, and where it is from."""
    document: Document = {"input": price.input, "output": price.output}
    document |= {name: said for name in _BESIDE if (said := getattr(price, name)) and not _is_usual(price, name, said)}
    if price.long_context_above_tokens:
        document["long_context"] = {
            "above": price.long_context_above_tokens,
            "input": price.long_context_input_factor,
            "output": price.long_context_output_factor,
        }
    return document | {"source": price.source or None, "as_of": price.as_of or None}


def _is_usual(price: gw.Price, name: str, said: str) -> bool:
    """Whether a cache costs what input does."""
    return name in ("cache_read", "cache_write") and said == price.input


def price_told(price: Document) -> str:
    """Tokens in and out, unless they are free and pieces are not; and pieces."""
    pieces = [f"{price[name]} {_BESIDE[name]}" for name in _PIECES if name in price]
    tokens = [] if pieces and price["input"] == price["output"] == "0" else [f"{price['input']} / {price['output']}"]
    return ", ".join([*tokens, *pieces])


def beside_told(price: Document) -> str:
    """What else of tokens has a price of its own."""
    parts = [f"{words} {price[name]}" for name, words in _BESIDE.items() if name in price and name not in _PIECES]
    if long := price.get("long_context"):
        parts.append(f"above {long['above']:,} tokens in: x {long['input']} in, x {long['output']} out")
    return ", ".join(parts)
