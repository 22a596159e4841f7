"""The object around an answer that is held to a JSON schema: providers take schemas of objects only. Models also write it unasked."""

from __future__ import annotations

import json

from scorer.parsers.documents import documents
from scorer.parsers.values import Unparsable

KEY = "answer"
_KEYS = frozenset({KEY, "finalanswer", "correctanswer"})


def unwrapped(text: str) -> str | Unparsable:
    """What stands under "answer" in an object, alone, in a code fence or in prose; any other text as it is. Several that differ: none.

    >>> unwrapped('{"answer": "B"}')
    'B'
    >>> unwrapped('Here it is: {"answer": ["a", "b"], "explanation": "both fit"}')
    '["a", "b"]'
    """
    if "{" not in text:
        return text
    sure, loose = documents(text)
    found = [answer for value in (*sure, *loose) for answer in _answers(value)]
    if not found:
        return text
    if any(answer != found[0] for answer in found):
        return Unparsable("it has several objects with different answers")
    return found[0]


def _answers(value: object) -> list[str]:
    if isinstance(value, list):
        return [answer for entry in value if isinstance(entry, dict) for answer in _answers(entry)]
    if not isinstance(value, dict):
        return []
    return [_text(answer) for key, answer in value.items() if "".join(filter(str.isalpha, key)).casefold() in _KEYS]


def _text(answer: object) -> str:
    try:
        return answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer, ensure_ascii=False)
    except RecursionError:
        return ""
