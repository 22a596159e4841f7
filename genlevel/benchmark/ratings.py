"""Ratings by people: the scale each metric of ratings is rated in, the CSV they come in, and whose answers they are.

The file has the columns task, instance, rater, rating (in any order; further ones are not looked at), one row for each rating::

    task,instance,rater,rating
    Multimodal TTS,tts0017,anna,4
    audio/generation/MultimodalTTS,tts0017,ben,3.5
    Portrait Video Style Transfer,v03,anna,win

task: the workbook's name, the task's id, or its folder in the suite. rating: MOS 1..5; user preference win, loss or tie (or 1, 0, 0.5) of
the model's answer; GPT-Score 0..100. What cannot be read is refused as a whole, a line for each problem; ratings of tasks or instances that
are not there are left out and named.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genlevel.benchmark.model import SuiteTask
from genlevel.runtime.errors import DatasetError
from genlevel.runtime.shown import quoted

COLUMNS = ("task", "instance", "rater", "rating")
MOST_PROBLEMS = 20
_NAMED = 3
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class Scale:
    """What one rating can be. words: those that may stand for numbers; steps: the only numbers there are, if they are few."""

    lowest: float
    highest: float
    words: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[float, ...] = ()

    @property
    def said(self) -> str:
        """The scale for a person."""
        if self.words:
            return f"{', '.join(self.words)} or {', '.join(f'{step:g}' for step in self.steps)}"
        return f"a number from {self.lowest:g} to {self.highest:g}"

    def read(self, text: str) -> float:
        """The rating written so. Raises ValueError saying what it has to be."""
        word = self.words.get(text.casefold())
        if word is not None:
            return word
        if not _NUMBER.fullmatch(text):
            hint = f"; write {text.replace(',', '.')}" if _NUMBER.fullmatch(text.replace(",", ".")) else ""
            raise ValueError(f"{text[:40]!r} is not a rating; it has to be {self.said}{hint}")
        value = float(text)
        if not self.lowest <= value <= self.highest or (self.steps and value not in self.steps):
            raise ValueError(f"{text[:40]} is out of range; it has to be {self.said}")
        return value


SCALES: dict[str, Scale] = {
    "mos": Scale(1.0, 5.0),
    "user_preference": Scale(0.0, 1.0, {"win": 1.0, "loss": 0.0, "tie": 0.5}, (1.0, 0.0, 0.5)),
    "gpt_score": Scale(0.0, 100.0),
}
"""By metric id: metrics that are means of ratings."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One row as written. where: file and line, for messages."""

    task: str
    instance: str
    rater: str
    rating: str
    where: str = ""


ByInstance = dict[str, dict[str, float]]
"""By instance id and rater."""


@dataclass(frozen=True, slots=True)
class ResolvedRatings:
    """tasks: ratings by task key. notes: what was left out, one line each."""

    tasks: dict[str, ByInstance]
    notes: tuple[str, ...]


def read_ratings(path: Path) -> tuple[Rating, ...]:
    """The rows of a CSV. Raises DatasetError: one line (at most ``MOST_PROBLEMS``) for each problem, naming file, line and column."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().casefold() for name in next(reader, [])]
        places = _places(path, header)
        rows: list[Rating] = []
        problems: list[str] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}:{reader.line_num}"
            if len(cells) != len(header):
                problems.append(f"{where}: {len(cells)} cells, and the header has {len(header)}; put a cell with a comma in quotes")
                continue
            values = {name: cells[place].strip() for name, place in places.items()}
            empty = [name for name in COLUMNS if not values[name]]
            problems += [f"{where}: {name}: is empty; fill it in or take the row out" for name in empty]
            if not empty:
                rows.append(Rating(**values, where=where))
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: not CSV ({error}); save it again as CSV") from None
    _refuse(problems)
    if not rows:
        raise DatasetError(f"{path}: has no ratings below its header")
    return tuple(rows)


def resolve_ratings(rows: Iterable[Rating], tasks: Sequence[SuiteTask], ids_of: Callable[[SuiteTask], Collection[str]]) -> ResolvedRatings:
    """The ratings by task and instance.

    ids_of: the ids of a task's instances; asked once for each task that is rated.
    Raises DatasetError, a line for each problem: a rating that its task's metric cannot have, a rater who rates one answer twice, a name
    that several tasks have. Unknown tasks and instances, and tasks that are not scored by ratings, are left out and noted.
    """
    names = _names(tasks)
    known: dict[str, Collection[str]] = {}
    found: dict[str, ByInstance] = {}
    first: dict[tuple[str, str, str], str] = {}
    left_out: Counter[str] = Counter()
    strangers: dict[str, list[str]] = {}
    problems: list[str] = []
    for row in rows:
        candidates = names.get(_folded(row.task), [])
        if len(candidates) > 1:
            keys = ", ".join(task.key for task in candidates)
            problems.append(f"{row.where}: task: {quoted(row.task)} is the name of several tasks ({keys}); write the folder of one")
            continue
        if not candidates:
            left_out[f"task {row.task[:80]!r} is not a task of this suite that was asked"] += 1
            continue
        task = candidates[0]
        scale = SCALES.get(task.metric.id) if task.metric else None
        if scale is None:
            label = task.metric.label if task.metric else "no metric"
            left_out[f"task {row.task[:80]!r} is scored by {label}, which takes no ratings"] += 1
            continue
        ids = known.get(task.key)
        if ids is None:
            ids = known[task.key] = frozenset(ids_of(task))
        if row.instance not in ids:
            strangers.setdefault(task.key, []).append(row.instance)
            continue
        try:
            value = scale.read(row.rating)
        except ValueError as problem:
            problems.append(f"{row.where}: rating: {problem}")
            continue
        before = first.setdefault((task.key, row.instance, row.rater), row.where)
        if before != row.where:
            file, _colon, line = before.rpartition(":")
            place = f"in line {line}" if file == row.where.rpartition(":")[0] else f"in {before}"
            who = f"{row.rater[:40]!r} rated {quoted(row.instance)} of {task.key} before, {place}"
            problems.append(f"{row.where}: rater: {who}; keep one of the two rows")
            continue
        found.setdefault(task.key, {}).setdefault(row.instance, {})[row.rater] = value
    _refuse(problems)
    notes = [f"{_count(count)} left out: {why}" for why, count in left_out.items()]
    for key, ids in strangers.items():
        unknown = list(dict.fromkeys(ids))
        named = ", ".join(repr(one[:60]) for one in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        notes.append(f"{_count(len(ids))} left out: {key} has no such instance here: {named}{more}")
    return ResolvedRatings(found, tuple(notes))


def _places(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Where each column is. Raises DatasetError."""
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        semicolons = any(";" in name for name in header)
        hint = "separate columns by commas, not by ';'" if semicolons else f"the first line has to name {', '.join(COLUMNS)}"
        raise DatasetError(f"{path}:1: no column {', '.join(missing)}; {hint}")
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise DatasetError(f"{path}:1: the column {twice[0]} is there twice; keep one")
    return {name: header.index(name) for name in COLUMNS}


def _names(tasks: Sequence[SuiteTask]) -> dict[str, list[SuiteTask]]:
    """Tasks by each way to write them; a folder's path wins over names, which may be those of several."""
    by_key = {_folded(task.key): [task] for task in tasks}
    names: dict[str, list[SuiteTask]] = {}
    for task in tasks:
        written = {task.name, task.key.rsplit("/", 1)[-1], *((task.task.id, task.task.name) if task.task else ())}
        for name in {_folded(name) for name in written}:
            names.setdefault(name, []).append(task)
    return {**names, **by_key}


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _count(count: int) -> str:
    return "1 rating" if count == 1 else f"{count} ratings"


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more problems"] if len(problems) > MOST_PROBLEMS else []
        raise DatasetError("\n".join([*problems[:MOST_PROBLEMS], *more]))
