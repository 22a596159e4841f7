"""A run as a folder of predictions in the suite's layout, which `genlevel score` and the official scorer read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genlevel.cli.exported import ExportedTask, ExportedTasks, envelope_of
from genlevel.cli.media_files import MediaFiles
from genlevel.cli.printing import note
from genlevel.connection.services import Stored
from genlevel.documents.answers import Scored, ScoredAnswers, key_of
from genlevel.documents.runs import outcome_name
from genlevel.documents.words import harmless
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_NAMED = 5
_LISTED = 20

Answers = Mapping[str, ev.ListAnswersResponse]
"""The answers to a task, by instance id."""


@dataclass(frozen=True, slots=True)
class Form:
    """bare: a list without an envelope. raw: the model's own words. blobs: the blob store that has the media of answers."""

    bare: bool
    raw: bool
    blobs: Path | str


@dataclass(frozen=True, slots=True)
class _Found:
    """What was not written as an answer that was read.

    unread: answers in which none could be read. unknown: tasks whose suite is not there. left_out: instances without an answer, by outcome.
    """

    unread: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)


async def write_predictions(found: Stored, run: ev.Run, target: Path, form: Form) -> str:
    """Writes the folder; returns what was written, in one line. Raises UsageError if there is something in it already."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target}: name a new or empty folder; no file is overwritten")
    said = _Found()
    answers: dict[str, dict[str, ev.ListAnswersResponse]] = {}
    async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id)):
        if answer.repeat:
            continue  # the form has one prediction of an instance: the first answer's
        if answer.outcome == sc.OUTCOME_ANSWERED:
            answers.setdefault(answer.task, {})[answer.instance_id] = answer
        else:
            said.left_out.setdefault(outcome_name(answer.outcome), []).append(f"{answer.task}/{answer.instance_id}")
    tasks, media = ExportedTasks(run), MediaFiles(form.blobs)
    for key, given in answers.items():
        task = tasks.get(key)
        if task is None and not form.raw:
            said.unknown.append(key)
        folder = target / key
        folder.mkdir(parents=True)
        scored = {} if form.raw else await ScoredAnswers(found.scorer, run.run_id).of_task(key)
        entries = _entries(folder, given, None if form.raw else task, scored, media=media, said=said)
        document = entries if form.bare else {**envelope_of(key, task), "data": entries}
        (folder / "prediction.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    counts = {key: len(given) for key, given in answers.items()}
    for line in _lacking(run, tasks, counts) if run.partial else ():
        note(line)
    return "; ".join([f"{target}: {sum(counts.values()):,} predictions of {len(answers)} tasks", *_exceptions(run, said)])


def _entries(
    folder: Path, answers: Answers, task: ExportedTask | None, scored: Scored, *, media: MediaFiles, said: _Found
) -> list[dict[str, object]]:
    """The predictions of one task. task: the form of its labels; None: the model's own words are written. scored: what was read."""
    entries: list[dict[str, object]] = []
    for answer in answers.values() if task is None else task.ordered(answers):
        files = media.write(folder, answer)
        prediction = None if task is None else task.prediction(answer, files, scored.get(key_of(answer)))
        if prediction is None:
            if task is not None:
                said.unread.append(f"{answer.task}/{answer.instance_id}")
            prediction = (files[0] if len(files) == 1 else list(files)) if files and not answer.raw_answer else answer.raw_answer
        entries.append({"id": answer.instance_id, "prediction": prediction})
    return entries


def _exceptions(run: ev.Run, said: _Found) -> list[str]:
    lines = []
    if said.unknown:
        lines.append(f"as the model's own words in {_some(said.unknown)}, because the suite is not at {run.specification.suite}")
    if said.unread:
        lines.append(f"no answer could be read in {len(said.unread):,}: these are the model's own words ({_some(said.unread)})")
    if run.specification.repeats > 1:
        lines.append(f"the first of {run.specification.repeats} answers to each instance")
    if run.counts.pending:
        lines.append(f"left out: {run.counts.pending:,} pending")
    return lines + [f"left out: {len(ids):,} {name} ({_some(ids)})" for name, ids in sorted(said.left_out.items())]


def _lacking(run: ev.Run, tasks: ExportedTasks, counts: Mapping[str, int]) -> list[str]:
    """What the predictions of a partial run do not cover, a line each. counts: predictions by task."""
    if not tasks:
        unknown = f"the number of missing predictions is not known, because the suite is not at {run.specification.suite}"
        return [f"run {run.run_id} is partial; {unknown}"]
    sizes = tasks.sizes()
    lacking = {key: size - counts.get(key, 0) for key, size in sizes.items() if counts.get(key, 0) < size}
    if not lacking:
        return []
    whole = f"{sum(lacking.values()):,} of the suite's {sum(sizes.values()):,} instances have no prediction"
    lines = [f"run {run.run_id} is partial: {whole}; without --only-predicted `genlevel score` counts them as wrong or unsupported"]
    lines += [f"{harmless(key)} lacks {lacking[key]:,} of {sizes[key]:,} predictions" for key in list(lacking)[:_LISTED]]
    if len(lacking) > _LISTED:
        lines.append(f"and {len(lacking) - _LISTED:,} more tasks lack predictions")
    return lines


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(harmless(name) for name in names[:_NAMED]) + more
