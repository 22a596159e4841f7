"""What differs between two results: the one that is said, and the one that was computed again. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genlevel.documents.runs import unscored_answers
from genlevel.runtime.documents import Document

# In words, which another version may put otherwise; and when a run last began, ended or was changed.
_LEFT_OUT = frozenset(("note", "notes", "provenance", "test", "reason", "obstacle", "remarks", "ended"))
# What earlier versions did not keep: null there is "not known", and no difference by itself.
_LATER_KNOWN = frozenset(("chance", "best_constant", "variation"))
# How a run went and what it took, which no score rests on; "tasks" and "stamp" are looked at by themselves.
_NOT_COMPUTED = frozenset(("usage", "judging", "status", "reason", "wanted", "predictions", "tasks", "stamp"))
_STAMPED = ("plan", "asked", "route", "models", "applied_parameters", "decided_early")
_CLOSE = 1e-9
"""Machines round sums of the same numbers differently, in their last digits."""


@dataclass(frozen=True, slots=True)
class Difference:
    """task: the key of the task that it is about; None: it is about the run. what: the field, by its path."""

    task: str | None
    what: str
    said: object
    found: object

    def json(self) -> Document:
        return {"task": self.task, "what": self.what, "said": self.said, "found": self.found}


def differences(said: Document, found: Document) -> list[Difference]:
    """Fields that only one of the two has are left out, as versions add some; a task that only one has is a difference."""
    by_key = [{task.get("key"): task for task in document.get("tasks") or ()} for document in (said, found)]
    listed = [
        Difference(key, "task", _there(key in by_key[0]), _there(key in by_key[1]))
        for key in dict.fromkeys((*by_key[0], *by_key[1]))
        if (key in by_key[0]) != (key in by_key[1])
    ]
    said_tasks = [task.get("key") for task in said.get("tasks") or ()]
    listed += [Difference(key, "task", "there several times", "there") for key in by_key[0] if said_tasks.count(key) > 1]
    for key, task in by_key[0].items():
        if key in by_key[1]:
            listed += [Difference(key, *one) for one in _walk(task, by_key[1][key], "")]
    for name in (name for name in said if name in found and name not in _NOT_COMPUTED):
        listed += [Difference(None, *one) for one in _walk(said[name], found[name], name)]
    stamps = [document.get("stamp") or {} for document in (said, found)]
    for name in (name for name in _STAMPED if name in stamps[0]):
        listed += [Difference(None, *one) for one in _walk(stamps[0][name], stamps[1].get(name), f"stamp.{name}")]
    return listed


def _there(is_there: bool) -> str:
    return "there" if is_there else "not there"


def _walk(said: object, found: object, path: str) -> Iterator[tuple[str, object, object]]:
    match said, found:
        case dict(), dict():
            for name in (name for name in said if name in found and name not in _LEFT_OUT):
                if name in _LATER_KNOWN and said[name] is None:
                    continue
                yield from _walk(said[name], found[name], f"{path}.{name}" if path else str(name))
        case list(), list() if _keyed(said) and _keyed(found):
            yield from _walk(_keyed(said), _keyed(found), path)
        case list(), list() if len(said) == len(found):
            for number, (one, other) in enumerate(zip(said, found, strict=True)):
                yield from _walk(one, other, f"{path}[{number}]")
        case _:
            if not _alike(said, found):
                yield path, said, found


def _keyed(listed: list[object]) -> Mapping[str, object]:
    """Tasks of a certificate by their keys, as these come in the order of their names; empty if one is there twice."""
    if not all(isinstance(entry, dict) and isinstance(entry.get("key"), str) for entry in listed):
        return {}
    by_key = {str(entry["key"]): entry for entry in listed if isinstance(entry, dict)}
    return by_key if len(by_key) == len(listed) else {}


def _alike(said: object, found: object) -> bool:
    if isinstance(said, bool) or isinstance(found, bool):
        return said is found
    if isinstance(said, int | float) and isinstance(found, int | float):
        return math.isclose(said, found, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return said == found


def reasons(said: Document, found: Document, *, suite_hash: str) -> list[str]:
    """Why the two may differ, a line each. suite_hash: of the suite that is here."""
    stamp, today = said.get("stamp") or {}, found["stamp"]
    lines = []
    if (asked := said.get("suite_hash")) and suite_hash and asked != suite_hash:
        lines.append(f"the suite's content is another: {asked[:8]} was asked, {suite_hash[:8]} is here")
    for name, what in (("parser_versions", "the answers were read by another parser"), ("references", "the references are others")):
        if stamp.get(name) and stamp[name] != today[name]:
            lines.append(f"{what}: {_shown(stamp[name])} then, {_shown(today[name])} now")
    if stamp.get("genlevel") and stamp["genlevel"] != today["genlevel"]:
        lines.append(f"genlevel was another: {_version(stamp['genlevel'])} then, {_version(today['genlevel'])} now")
    ended = [(one.get("asked") or {}).get("ended") for one in (stamp, today)]
    if ended[0] and ended[0] != ended[1]:
        lines.append(f"the run has changed since: it was as it stood at {ended[0]}, its answers are as of {ended[1]}")
    if unscored := unscored_answers(said):
        lines.append(f"{unscored:,} answers had come after their tasks were last scored: `genlevel rescore RUN` scores them")
    networks = {task.get("key"): task.get("provenance") for task in said.get("tasks") or ()}
    lines += [
        f"{task['key']} was measured with {networks[task['key']]} then, {task['provenance']} now"
        for task in found["tasks"]
        if networks.get(task["key"]) and networks[task["key"]] != task["provenance"]
    ]
    return lines


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"{value.get('set')} {str(value.get('hash'))[:8]}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _version(made: Document) -> str:
    return f"{made['version']} ({made['commit'][:12]})" if made.get("commit") else str(made.get("version"))
