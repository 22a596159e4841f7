"""What a provider's answer says beside what is read of it: kept as it came, so that nothing is lost without a word."""

from __future__ import annotations

from gateway.bodies import Json


def beside(container: Json, known: frozenset[str]) -> Json:
    """The fields of an object that no rule reads and that say something. known: those that are read, or are no part of the answer.

    Example:
        >>> beside({"text": "Paris", "citations": ["a"], "score": None, "tags": []}, frozenset({"text"}))
        {'citations': ['a']}
    """
    if container.keys() <= known:  # as it mostly is
        return {}
    return {name: value for name, value in container.items() if name not in known and says_something(value)}


def says_something(value: object) -> bool:
    """Whether a field has something in it."""
    return value is not None and value not in ("", [], {})


def counts_something(value: object) -> bool:
    """Whether some number in it is not 0."""
    if isinstance(value, dict):
        return any(map(counts_something, value.values()))
    return isinstance(value, (int, float)) and value != 0
