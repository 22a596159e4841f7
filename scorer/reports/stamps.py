"""The stamp of a result: what it rests on, and a hash by which a changed file is noticed.

The hash is no signature: whoever changes a file can make it anew. `genlevel verify` scores the answers again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genlevel.runtime.version import this_version
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.parsers import PARSER_VERSION

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

HASH = "sha256"


def stamped(document: Document) -> Document:
    """The document with the hash of all its content in its stamp."""
    return {**document, "stamp": {**document["stamp"], HASH: content_hash(document)}}


def content_hash(document: Mapping[str, object]) -> str:
    """The sha256 of a result, less the hash in its stamp: of its JSON with sorted keys, ASCII alone, no spaces, whole numbers without ".0".

    Neither the order of keys nor white space matters, so a file may be written anew.
    """
    stamp = document.get("stamp")
    said = {name: value for name, value in stamp.items() if name != HASH} if isinstance(stamp, dict) else stamp
    plain = _plain({**document, "stamp": said})
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: object) -> object:
    """Programs write 1.0 as 1."""
    match value:
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def run_stamp(run: ev.Run, verdict: sc.GetVerdictResponse, references: str | None, *, early: Document | None = None) -> Document:
    """What the result of a run rests on, without the hash. What is not known is null. references: None if there are none.

    early: until what it was asked, and what was decided; None: not so, and the stamp has no such key, as those of older versions.
    """
    asked, facts, scored = run.specification, run.facts if run.HasField("facts") else None, verdict.stamp
    return {
        "genlevel": _version(scored.version, scored.commit),
        "scored": _time(scored.scored_s),
        "parser_versions": sorted(set(scored.parser_versions.values())),
        "references": {"set": references, "hash": scored.references_hash or None},
        "alpha": verdict.certificate.alpha or None,
        "plan": run.plan or None,
        "asked": {
            "genlevel": _version(facts.version, facts.commit) if facts else None,
            "begun": run.created.ToJsonString() if run.HasField("created") else None,
            "ended": run.updated.ToJsonString() if run.HasField("updated") else None,
            "suite": run.suite,
            "suite_hash": run.suite_hash or None,
            "tasks": asked.tasks or None,
            "limit": asked.limit or None,
            "seed": asked.seed,
            "chosen": (facts.chosen or None) if facts else None,
            "occasion": asked.occasion or None,
            "repeats": max(1, asked.repeats),
            "prompt_version": run.prompt_version or None,
            "parameters": {field.name: _value(value) for field, value in asked.parameters.ListFields()},
            "parts": list(facts.parts) if facts else [],
        },
        "route": _route(facts) if facts else None,
        "models": [{"model": one.text or None, "answers": one.answers} for one in facts.models] if facts else None,
        "applied_parameters": [_parameters(one) for one in facts.parameters] if facts else None,
        **({"decided_early": early} if early is not None else {}),
    }


def scores_stamp(references: str | None, references_hash: str, alpha: float) -> Document:
    """The same of scores of files that nobody here asked for: how they were asked is not known."""
    made = this_version()
    return {
        **dict.fromkeys(("scored", "plan", "asked", "route", "models", "applied_parameters")),
        "genlevel": _version(made.version, made.commit),
        "parser_versions": [PARSER_VERSION],
        "references": {"set": references, "hash": references_hash or None},
        "alpha": alpha,
    }


def _route(facts: sc.RunFacts) -> Document:
    """The route when the run was planned; its price only if one is kept."""
    route: Document = {"provider": facts.provider, "model": facts.provider_model, "fingerprint": facts.route_fingerprint}
    return route | ({"price": json.loads(facts.price)} if facts.price else {})


def _version(version: str, commit: str) -> Document | None:
    return {"version": version, "commit": commit or None} if version else None


def _time(seconds: float) -> str | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _value(value: object) -> object:
    return value if isinstance(value, bool | int | float | str) or not isinstance(value, Iterable) else list(value)


def _parameters(counted: sc.CountedText) -> Document:
    return {"parameters": json.loads(counted.text) if counted.text else None, "answers": counted.answers}
