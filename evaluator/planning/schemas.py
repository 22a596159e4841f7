"""The JSON schema of an instance's answer, for models that can be held to one (prompts.yaml)."""

from __future__ import annotations

import json
from functools import cache
from string import ascii_uppercase

from evaluator.planning.prompts import CONFIDENCE, names_of, wording
from genlevel.benchmark.answer_kinds import KINDS, Shape
from genlevel.benchmark.model import Instance

ANSWER_KEY = "answer"
"""Where the answer stands in the object; the parsers look there."""

_LETTERS = "{letters}"


def response_schema(instance: Instance, *, confidence: bool = True) -> str:
    """The schema of an instance's answer as JSON; "" if its type is asked in words alone. confidence: whether one may be asked for."""
    if instance.dialog and KINDS[instance.answer_type].next_turn:
        return ""
    letters = ascii_uppercase[: len(instance.options)] if KINDS[instance.answer_type].shape is Shape.LETTER else ""
    names = [name for name in names_of(instance) if confidence or not name.endswith(CONFIDENCE)]
    kind = next((kind for kind in names if kind in schemas()), instance.answer_type.value)
    return _written(kind, letters)


@cache
def _written(kind: str, letters: str) -> str:
    schema = schemas().get(kind)
    if schema is None:
        return ""
    if schema.get("enum") == _LETTERS:
        schema = {"type": "string", "enum": list(letters)} if letters else {"type": "string"}
    document = {"type": "object", "additionalProperties": False, "required": [ANSWER_KEY], "properties": {ANSWER_KEY: schema}}
    return json.dumps(document, separators=(",", ":"))


@cache
def schemas() -> dict[str, dict[str, object]]:
    """The schemas of the types that have one."""
    return {name: entry["schema"] for name, entry in wording()["types"].items() if "schema" in entry}
