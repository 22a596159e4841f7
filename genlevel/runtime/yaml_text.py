"""Reads YAML with libyaml if PyYAML has it, which takes a tenth of the time."""

from __future__ import annotations

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100


def read_shipped(text: str) -> object:
    """What a text of our own says."""
    return yaml.load(text, Loader=_LOADER)


def read_written(text: str) -> object:
    """What a text that people write says; PyYAML's own reader says what is wrong with it.

    The two differ in corners alone: libyaml also takes tabs after a value, ``?`` within flow collections and a byte order mark at the start
    of a line, and a lone ``!`` is an empty text to it. Raises yaml.YAMLError, with a mark if it knows the line; ValueError; RecursionError.
    """
    try:
        if _is_shallow(text):
            return yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError):
        pass  # said below
    return yaml.safe_load(text)


def _is_shallow(text: str) -> bool:
    """Whether libyaml may build it: what is nested too deep overflows its stack, which ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return False
    return True
