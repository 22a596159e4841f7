"""How commands and pages name suites: by their names, and by name@hash if there are several of one name."""

from __future__ import annotations

from collections.abc import Iterable

from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.errors import UsageError

Suite = tuple[str, str]
"""A suite's name, and its content's hash; "" if that is not known."""


def shown_suites(suites: Iterable[Suite]) -> dict[Suite, str]:
    """What each of these suites is called beside the others: name@hash if another content has the name, too."""
    listed = set(suites)
    contents: dict[str, set[str]] = {}
    for name, content in listed:
        contents.setdefault(name, set()).update([content] if content else [])
    return {(name, content): f"{name}@{short_hash(content)}" if content and len(contents[name]) > 1 else name for name, content in listed}


def chosen_suites(asked: str, suites: Iterable[Suite]) -> set[Suite]:
    """Those that ``NAME`` or ``NAME@HASH`` means, the hash by its beginning. Raises UsageError if it means none."""
    listed = set(suites)
    name, sign, beginning = asked.rpartition("@")
    by_name = {suite for suite in listed if suite[0] == asked}
    found = by_name or {suite for suite in listed if sign and beginning and suite[0] == name and suite[1].startswith(beginning.casefold())}
    if not found:
        known = ", ".join(sorted(set(shown_suites(listed).values()))) or "none"
        raise UsageError(f"no run is on a suite {asked!r}; known are: {known}")
    return found
