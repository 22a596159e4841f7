"""What a monitor watches apart: the whole, each modality and paradigm, each task group; and the strata that ticks draw from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LEAST_OF_A_GROUP = 5
"""Instances a tick that a task group needs to be watched apart."""


class StreamKind(StrEnum):
    WHOLE = "whole"
    MODALITY = "modality"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Place:
    """A task of the suite: its key, the group that it is counted to, its modality and paradigm (language has none: "")."""

    task: str
    group: str
    modality: str
    paradigm: str

    @property
    def part(self) -> str:
        """Its modality and paradigm in one word."""
        return f"{self.modality}/{self.paradigm}" if self.paradigm else self.modality


@dataclass(frozen=True, slots=True)
class Stream:
    """Strata whose instances are looked at together. The name is unique within a monitor; that of the whole is "all"."""

    name: str
    kind: StreamKind
    strata: frozenset[int]


@dataclass(frozen=True, slots=True)
class Layout:
    """strata: their names, by number. stratum_of: by task. notes: what is not watched apart, and why; a line each."""

    streams: tuple[Stream, ...]
    strata: tuple[str, ...]
    stratum_of: dict[str, int]
    notes: tuple[str, ...]


def streams_of(places: Iterable[Place], sample: int) -> Layout:
    """Streams and strata of a monitor that asks so many instances a tick.

    A stratum is a task group (within one modality and paradigm); if the sample gives a group fewer than 5 instances, strata are modality x
    paradigm and groups are not watched apart. Of streams with the same strata the broader one stays.
    Raises ValueError if there is no task, or the sample cannot cover the strata.
    """
    known = sorted(places, key=lambda place: (place.part, place.group, place.task))
    if not known:
        raise ValueError("tasks: none is chosen; a monitor needs at least one")
    cells = sorted({(place.part, place.group) for place in known})
    notes: tuple[str, ...] = ()
    grouped = sample >= LEAST_OF_A_GROUP * len(cells)
    if not grouped:
        notes = (
            f"{len(cells)} task groups are not watched apart: {sample} instances a tick are fewer than {LEAST_OF_A_GROUP} for each;"
            f" a sample of {LEAST_OF_A_GROUP * len(cells)} would do",
        )
        cells = sorted({(part, "") for part, _group in cells})
    if sample < len(cells):
        raise ValueError(
            f"sample: {sample} instances a tick cannot cover {len(cells)} modalities and paradigms; ask for at least {len(cells)}"
        )
    number = {cell: index for index, cell in enumerate(cells)}
    stratum_of = {place.task: number[place.part, place.group if grouped else ""] for place in known}
    wanted = [("all", StreamKind.WHOLE, frozenset(number.values()))]
    wanted += [(part, StreamKind.MODALITY, _those(number, 0, part)) for part in sorted({part for part, _group in cells})]
    if grouped:
        wanted += [(group, StreamKind.GROUP, _those(number, 1, group)) for group in sorted({group for _part, group in cells})]
    return Layout(_distinct(wanted), tuple(group or part for part, group in cells), stratum_of, notes)


def _those(number: dict[tuple[str, str], int], side: int, name: str) -> frozenset[int]:
    return frozenset(index for cell, index in number.items() if cell[side] == name)


def _distinct(wanted: list[tuple[str, StreamKind, frozenset[int]]]) -> tuple[Stream, ...]:
    streams: list[Stream] = []
    for name, kind, strata in wanted:
        if any(strata == stream.strata for stream in streams):
            continue
        taken = {stream.name for stream in streams}
        while name in taken:
            name += " (group)"  # noqa: PLW2901
        streams.append(Stream(name, kind, strata))
    return tuple(streams)
