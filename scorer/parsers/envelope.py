"""The object that answers held to a JSON schema stand in, since providers take no schema of anything else."""

from __future__ import annotations

import json

from scorer.parsers.text import without_wrapping

KEY = "answer"


def unwrapped(text: str) -> str:
    """What stands under "answer" where that is all there is; any other text as it is.

    >>> unwrapped('{"answer": "B"}')
    'B'
    >>> unwrapped('{"answer": ["a", "b"]}')
    '["a", "b"]'
    """
    bare = without_wrapping(text)
    if not bare.startswith("{") or not bare.endswith("}"):
        return text
    try:
        value = json.loads(bare)
        if not isinstance(value, dict) or set(value) != {KEY}:
            return text
        answer = value[KEY]
        return answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
