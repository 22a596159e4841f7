"""Putting a suite together: task folders found, read once, resolved to tasks, with everything that went wrong beside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from genlevel.benchmark.answer_types import TaskFacts, usual_metric
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.layout import Layout, TaskFolder, find_task_folders
from genlevel.benchmark.manifest import Manifest
from genlevel.benchmark.model import Modality, Paradigm, Suite, TaskMetric
from genlevel.benchmark.own_benchmark import own_benchmark
from genlevel.benchmark.places import place_of_annotation, place_of_folder
from genlevel.benchmark.reader import Survey, survey
from genlevel.benchmark.resolve import resolve
from genlevel.runtime.errors import DatasetError


def general_bench_suite(root: Path, name: str = "", *, with_items: bool = True) -> Suite:
    """A folder, or an archive of one, in General-Bench layout as a suite over the 699 published tasks.

    with_items: look for problems of items too.
    """
    layout = _layout(root)
    problems = list(layout.problems)
    tasks: list[FolderTask] = []
    taken: dict[str, str] = {}
    for folder in layout.folders:
        found = _survey(folder, problems)
        if found is None:
            continue
        modality, paradigm = _place(folder, layout.top, found)
        resolution = resolve(folder.name, found.envelope.task, modality, paradigm)
        task = resolution.task
        if resolution.reason:
            problems.append(f"{folder.key}: {resolution.reason}" + ("" if task else "; asked, but outside the levels"))
        if task is not None and task.id in taken:
            problems.append(f"{folder.key}: {task.name!r} is {taken[task.id]} already; asked, but outside the levels")
            task = None
        if task is not None:
            taken[task.id] = folder.key
            modality, paradigm = task.modality, task.paradigm
        if modality is None:
            modality, paradigm = Modality.LANGUAGE, None
            problems.append(f"{folder.key}: neither its path nor its annotation says a modality; taken as language")
        metric = task.metric if task is not None else _metric_by_type(folder, found, modality, paradigm, problems)
        label = task.name if task is not None else folder.name
        make = partial(FolderTask, folder, found, name=label, modality=modality, paradigm=paradigm, task=task, metric=metric)
        _add(tasks, problems, with_items, folder, make)
    _need_one(root, tasks, problems)
    return Suite(name or layout.top.resolve().name, root, general_bench(), tuple(tasks), tuple(problems))


def own_suite(root: Path, manifest: Manifest, *, with_items: bool = True) -> Suite:
    """A folder with a suite.yaml as a suite that is its own benchmark. with_items: look for problems of items too."""
    layout = _layout(root)
    problems = list(layout.problems)
    folders = {folder.key: folder for folder in layout.folders}
    for key in manifest.tasks:
        if key in folders:
            continue
        if not (root / key).is_dir():
            raise DatasetError(
                f"{root / 'suite.yaml'}: tasks.{key}: no task folder of this name (one with an annotation file in itself or in json/)"
            )
        problems.append(f"{key}: left out: suite.yaml lists it, but it has no annotation file that can be read")
    benchmark = own_benchmark(root, manifest)
    by_key = dict(zip(manifest.tasks, benchmark.tasks, strict=True))
    tasks: list[FolderTask] = []
    for key, folder in folders.items():
        found = _survey(folder, problems)
        if found is None:
            continue
        task = by_key.get(key)
        metric: TaskMetric | None
        if task is not None:
            modality, paradigm, metric, name = task.modality, task.paradigm, task.metric, task.name
        else:
            problems.append(f"{key}: suite.yaml does not list it; asked, but outside the levels")
            placed, paradigm = _place(folder, layout.top, found)
            modality = placed or Modality.LANGUAGE
            metric, name = _metric_by_type(folder, found, modality, paradigm, problems), folder.name
        make = partial(FolderTask, folder, found, name=name, modality=modality, paradigm=paradigm, task=task, metric=metric)
        _add(tasks, problems, with_items, folder, make)
    _need_one(root, tasks, problems)
    return Suite(manifest.name, root, benchmark, tuple(tasks), tuple(problems))


def _layout(root: Path) -> Layout:
    try:
        layout = find_task_folders(root)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error.strerror})") from None
    if not layout.folders:
        seen = f" Seen: {'; '.join(layout.problems[:3])}" if layout.problems else ""
        raise DatasetError(
            f"{root}: no task folder found. Looked for folders with exactly one annotation JSON (an object with a `data` list whose items"
            f" have input or output) in themselves or in json/, such as nlp/<Task>/annotation.json.{seen}"
        )
    return layout


def _survey(folder: TaskFolder, problems: list[str]) -> Survey | None:
    """What the annotation says; None if it cannot be read to its end, which is then a problem: the task is left out, whole."""
    try:
        return survey(folder.annotation)
    except DatasetError as error:
        problems.append(f"{folder.key}: left out: {error}; mend the file or fetch it again")
        return None


def _add(tasks: list[FolderTask], problems: list[str], with_items: bool, folder: TaskFolder, make: Callable[[], FolderTask]) -> None:
    """Adds the folder's task with its problems; leaves it out, with one, if its media cannot be reached."""
    try:
        task = make()
    except DatasetError as error:
        problems.append(f"{folder.key}: left out: {error}")
        return
    tasks.append(task)
    if with_items:
        problems += task.problems()


def _need_one(root: Path, tasks: list[FolderTask], problems: list[str]) -> None:
    if not tasks:
        raise DatasetError(f"{root}: no task can be read. {'; '.join(problems[:3])}")


def _place(folder: TaskFolder, top: Path, found: Survey) -> tuple[Modality | None, Paradigm | None]:
    modality, paradigm = place_of_folder(folder.place, top)
    if modality is None:
        envelope = found.envelope
        modality, paradigm = place_of_annotation(envelope.type, envelope.modality_in, envelope.modality_out)
    return modality, paradigm


def _metric_by_type(
    folder: TaskFolder, found: Survey, modality: Modality, paradigm: Paradigm | None, problems: list[str]
) -> TaskMetric | None:
    envelope = found.envelope
    facts = TaskFacts(folder.name, envelope.type, envelope.skill, modality, paradigm, None, envelope.modality_out, found.kinds)
    metric = usual_metric(facts)
    if metric is None:
        problems.append(f"{folder.key}: no metric is known for its type {envelope.type!r}; asked, but not scored")
    return metric
