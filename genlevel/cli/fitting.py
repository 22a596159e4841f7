"""Whether runs are parts of one: of one model, asked alike, over tasks that they do not share. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf import json_format

from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Part:
    """name: as a person gave it. result: its own. tasks: keys of those that it asks."""

    name: str
    run: ev.Run
    result: Document
    tasks: tuple[str, ...]


def misfits(parts: Sequence[Part], *, suite_hash: str, parser_version: str) -> Iterator[str]:
    """Why these are not parts of one run, a line each, by name.

    suite_hash, parser_version: of the suite and the parsers that are here. What is not known of a part is taken to fit.
    """
    first = parts[0]
    for part in parts:
        if (asked := part.run.suite_hash) and asked != suite_hash:
            yield (
                f"{part.name} was asked another content of suite {part.run.suite!r} ({asked[:8]}) than the one here ({suite_hash[:8]}); "
                "--suite says where that lies"
            )
        stamp = part.result.get("stamp") or {}
        others = [version for version in stamp.get("parser_versions") or () if version != parser_version]
        if others:
            yield (
                f"{part.name} was read by parsers of version {', '.join(others)}, and here they are of {parser_version}: "
                "`genlevel rescore` it where it was asked, with this version of genlevel"
            )
    for part in parts[1:]:
        for what, value in _ASKED.items():
            one, other = value(first), value(part)
            if one != other and None not in (one, other):
                yield f"{part.name} does not fit with {first.name}: {what}: {_shown(other)}, not {_shown(one)}"
    for number, part in enumerate(parts):
        for other in parts[:number]:
            if shared := sorted(set(part.tasks) & set(other.tasks)):
                more = f" and {len(shared) - _NAMED} more" if len(shared) > _NAMED else ""
                yield f"{part.name} and {other.name} have asked the same tasks: {', '.join(shared[:_NAMED])}{more}"


def models_noted(parts: Sequence[Part]) -> str:
    """What a person has to know if the parts' answers name different models; "" if they do not."""
    named = [frozenset(one.text for one in part.run.facts.models if one.text) for part in parts]
    if len(set(filter(None, named))) < 2:
        return ""
    listed = "; ".join(f"{part.name}: {', '.join(sorted(models))}" for part, models in zip(parts, named, strict=True) if models)
    return f"the provider named the model differently ({listed}); the stamp has all names with counts"


def _of_facts(name: str) -> Callable[[Part], object]:
    return lambda part: getattr(part.run.facts, name) if part.run.HasField("facts") else None


def _judge(part: Part) -> object:
    """None: nobody judged it."""
    if not part.run.HasField("judging"):
        return None
    return {"judge": part.run.judging.judge, **{name: prompt.hash for name, prompt in sorted(part.run.judging.prompts.items())}}


def _references(part: Part) -> object:
    return ((part.result.get("stamp") or {}).get("references") or {}).get("hash")


def _sample(part: Part) -> object:
    asked = part.run.specification
    if asked.chosen:
        return "chosen instances"
    return f"--limit {asked.limit} --seed {asked.seed}" if asked.limit else "all instances"


_ASKED: dict[str, Callable[[Part], object]] = {
    "another model": lambda part: part.run.specification.model,
    "another provider": _of_facts("provider"),
    "another model of the provider": _of_facts("provider_model"),
    "another benchmark": lambda part: part.run.benchmark,
    "another suite": lambda part: part.run.suite,
    "another content of the suite": lambda part: part.run.suite_hash or None,
    "another sample": _sample,
    "another occasion": lambda part: part.run.specification.occasion or "none",
    "another number of repeats": lambda part: max(1, part.run.specification.repeats),
    "other parameters": lambda part: json_format.MessageToDict(part.run.specification.parameters, preserving_proto_field_name=True),
    "answers held to schemas or not": lambda part: "not" if part.run.specification.no_structured_output else "as the model can",
    "another API": lambda part: part.run.specification.api or "chat",
    "another number of frames": lambda part: part.run.specification.video_frames,
    "another version of the prompts": lambda part: part.run.prompt_version or None,
    "another fingerprint of the route": _of_facts("route_fingerprint"),
    "other coordinates of the route": lambda part: part.run.specification.boxes or "not said",
    "another server": lambda part: part.run.specification.base_url,
    "another judge": _judge,
    "other references": _references,
}


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)
