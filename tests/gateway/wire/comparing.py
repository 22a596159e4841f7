"""What an exchange says, in terms that are nobody's: by the gateway's answer, and by what an SDK reads in the same body."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from google.protobuf import json_format

from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

LONGEST_COMPARED = 50_000
# Fields that say what kind of thing something is, or only which one.
NAMES_OF_KINDS = frozenset({"type", "id", "item_id", "finish_reason", "phase"})


class Used(NamedTuple):
    """Tokens in disjoint buckets."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0


class Reading(NamedTuple):
    """What an answer says. calls: id, name, arguments as canonical JSON. finish: a gw.FinishReason's name without its prefix.

    error: the class of a failure, "" if it is none; CONTENT_REFUSED for a refusal. media: how many.
    used: None = not said.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    media: int = 0
    finish: str = ""
    used: Used | None = None
    error: str = ""


def reading_of(response: gw.GenerateResponse) -> Reading:
    """What the gateway's answer says."""
    parts = response.parts
    usage = response.usage
    used = Used(usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens, usage.reasoning_tokens)
    return Reading(
        text="".join(part.text for part in parts),
        reasoning="\n".join(part.reasoning.text for part in parts if part.reasoning.text),
        calls=tuple(
            (part.tool_call.id, part.tool_call.name, canonical(part.tool_call.arguments_json))
            for part in parts
            if part.HasField("tool_call")
        ),
        media=sum(part.HasField("media") for part in parts),
        finish=gw.FinishReason.Name(response.finish_reason).removeprefix("FINISH_REASON_"),
        used=used if any(used) else None,
    )


def reading_of_failure(failure: CallFailed) -> Reading:
    """What a failed call says. What it used is not compared: providers say it with few failures."""
    return Reading(error=failure.error_class.name)


def canonical(arguments: Any) -> str:
    """JSON with sorted keys, of an object or of its text; a text that is no JSON as it is."""
    if isinstance(arguments, str | None):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError:
            return str(arguments)
    return json.dumps(arguments, sort_keys=True)


def differences(expected: Reading, got: Reading) -> list[str]:
    """One line for each thing that is not the same; of a failure its class alone."""
    names = ["error"] if expected.error or got.error else list(Reading._fields)
    lines = []
    for name in names:
        wanted, found = getattr(expected, name), getattr(got, name)
        if wanted != found:
            lines.append(f"{name}: wanted {_short(wanted)}, got {_short(found)}")
    return lines


def body_differences(expected: Any, got: Any, path: str = "") -> list[str]:
    """What differs between two bodies of requests that were made plain."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [
            line
            for name in sorted(expected.keys() | got.keys())
            for line in (
                body_differences(expected[name], got[name], f"{path}.{name}")
                if name in expected and name in got
                else [f"{path}.{name} is {'missing' if name in expected else 'added'}: {_short(expected.get(name, got.get(name)))}"]
            )
        ]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [
            line
            for number, (one, other) in enumerate(zip(expected, got, strict=True))
            for line in body_differences(one, other, f"{path}[{number}]")
        ]
    return [] if expected == got and type(expected) is type(got) else [f"{path}: wanted {_short(expected)}, sent {_short(got)}"]


def vanished(answer: Any, response: gw.GenerateResponse, but: Collection[str] = ()) -> list[str]:
    """Texts of an answer that are nowhere in the response. Short ones, which may stand for anything, are not looked for.

    but: fields of an answer that is an object, on top, that are not looked at.
    """
    if isinstance(answer, dict):
        answer = {name: value for name, value in answer.items() if name not in but}
    whole = "\0".join(_texts(json_format.MessageToDict(response)))
    return [
        _short(text)
        for text in _texts(answer, NAMES_OF_KINDS)
        if 12 <= len(text) < LONGEST_COMPARED and text not in whole and not _is_within(text, whole)
    ]


def without_nothing(value: Any) -> Any:
    """A body without fields that are null."""
    if isinstance(value, dict):
        return {name: without_nothing(inner) for name, inner in value.items() if inner is not None}
    return [without_nothing(inner) for inner in value] if isinstance(value, list) else value


def _is_within(text: str, whole: str) -> bool:
    """JSON that was written anew, or media whose base64 is padded otherwise."""
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) in whole
    except ValueError:
        pass
    try:
        return base64.b64encode(base64.b64decode(text.partition(";base64,")[2] or text)).decode() in whole
    except ValueError:
        return False


def _texts(value: Any, but: Collection[str] = ()) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in but:
                yield from _texts(inner, but)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, but)
    elif isinstance(value, str):
        yield value
        if value[:1] in "{[":  # an object that a message could not hold, as JSON
            try:
                yield from _texts(json.loads(value))
            except ValueError:
                return


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 160 else f"{said[:110]}…{said[-40:]}"
