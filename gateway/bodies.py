"""Reads a provider's body as JSON. Half a character, which JSON can write and UTF-8 cannot, does not lose an answer."""

from __future__ import annotations

import codecs
import json
from typing import NoReturn

import orjson

Json = dict[str, object]
"""An object of JSON; what a field holds is looked at before it is used."""


def read_json(raw: bytes) -> object:
    r"""The value of a body; None if it is not JSON.

    A model whose output breaks off within an emoji leaves a surrogate escape without its other half. It becomes U+FFFD, as readers
    of broken UTF-8 do.

    >>> read_json(rb'{"text": "ok \ud83d"}') == {"text": "ok \ufffd"}
    True
    """
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        value: object = orjson.loads(raw)
        return value
    except orjson.JSONDecodeError:
        if b"\\u" not in raw:
            return None
    try:
        value = json.loads(raw, parse_constant=_refused)
        # UTF-16 joins the halves that belong together and has no place for the others.
        written = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return orjson.loads(written)
    except (ValueError, RecursionError):
        return None


def plain_text(raw: bytes) -> str:
    """The beginning of a body that is text for people, "" for a web page and for what is not text."""
    text = raw[:2000].decode("utf-8", "ignore").strip()
    return "" if not text or text.startswith("<") or "\0" in text else text


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def body_of(raw: bytes) -> object:
    """The value of a body of JSON, else its text."""
    body = read_json(raw)
    return plain_text(raw) if body is None else body


def no_object(raw: bytes, where: str) -> str:
    """What a body is that should be a JSON object. A web page means that the address is not that of an API."""
    if read_json(raw) is not None or raw.strip() == b"null":
        return "not a JSON object"
    if not raw.strip():
        return "an empty body"
    if raw.lstrip().startswith((b"data:", b"event:", b": ")):
        return "a stream of events, not one JSON object, though no stream was asked for"
    if raw[:500].lstrip().lower().startswith((b"<!doctype", b"<html")):
        return f"a web page, not JSON; is {where} the address of its API (many end in /v1)?"
    return "not JSON"
