"""Putting a suite together: task folders found, read once, resolved to tasks, with everything that went wrong beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from genlevel.benchmark.annotation import Envelope, read_envelope, read_head
from genlevel.benchmark.answer_types import TaskFacts, usual_metric
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.layout import Layout, TaskFolder, find_task_folders
from genlevel.benchmark.manifest import Manifest
from genlevel.benchmark.model import Instance, Modality, Paradigm, Suite, Task, TaskMetric
from genlevel.benchmark.own_benchmark import own_benchmark
from genlevel.benchmark.places import place_of_annotation, place_of_folder
from genlevel.benchmark.reader import Survey, survey
from genlevel.benchmark.resolve import resolve
from genlevel.runtime.errors import DatasetError


def general_bench_suite(root: Path, name: str = "", *, with_items: bool = True) -> Suite:
    """A folder, or an archive of one, in General-Bench layout as a suite over the 699 published tasks.

    with_items: look for problems of items too.
    """
    layout = layout_of(root)
    problems = list(layout.problems)
    tasks: list[FolderTask] = []
    taken: dict[str, str] = {}
    for folder in layout.folders:
        found = _survey(folder, problems)
        if found is None:
            continue
        _add(tasks, problems, with_items, folder, _of_general_bench(folder, layout.top, found, taken, problems))
    _need_one(root, tasks, problems)
    return Suite(name or layout.top.resolve().name, root, general_bench(), tuple(tasks), tuple(problems))


def own_suite(root: Path, manifest: Manifest, *, with_items: bool = True) -> Suite:
    """A folder with a suite.yaml as a suite that is its own benchmark. with_items: look for problems of items too."""
    layout = layout_of(root)
    problems = list(layout.problems)
    keys = {folder.key for folder in layout.folders}
    for key in manifest.tasks:
        if key in keys:
            continue
        if not (root / key).is_dir():
            raise DatasetError(
                f"{root / 'suite.yaml'}: tasks.{key}: no task folder of this name (one with an annotation file in itself or in json/)"
            )
        problems.append(f"{key}: left out: suite.yaml lists it, but it has no annotation file that can be read")
    benchmark = own_benchmark(root, manifest)
    by_key = dict(zip(manifest.tasks, benchmark.tasks, strict=True))
    tasks: list[FolderTask] = []
    for folder in layout.folders:
        found = _survey(folder, problems)
        if found is None:
            continue
        _add(tasks, problems, with_items, folder, _of_manifest(folder, layout.top, found, by_key, problems))
    _need_one(root, tasks, problems)
    return Suite(manifest.name, root, benchmark, tuple(tasks), tuple(problems))


def find_in_tasks(root: Path, manifest: Manifest | None, wanted: Mapping[str, frozenset[str]]) -> dict[str, dict[str, Instance]]:
    """Instances by task and id, without reading the items of other tasks. manifest: of a suite that is its own benchmark.

    Raises DatasetError if nothing of the suite can be read; one of its tasks that cannot has no instances.
    """
    return {key: instances for key, (_task, instances) in find_tasks(root, manifest, wanted).items()}


def find_tasks(
    root: Path, manifest: Manifest | None, wanted: Mapping[str, frozenset[str]], layout: Layout | None = None
) -> dict[str, tuple[FolderTask | None, dict[str, Instance]]]:
    """As ``find_in_tasks``, with each task itself, for ``instances_in``; None for one that cannot be read. layout: of root, if known."""
    layout = layout or layout_of(root)
    by_key = {} if manifest is None else dict(zip(manifest.tasks, own_benchmark(root, manifest).tasks, strict=True))
    taken: dict[str, str] = {}
    tasks: dict[str, tuple[FolderTask | None, dict[str, Instance]]] = {}
    for folder in layout.folders:
        if len(tasks) == len(wanted):
            break
        with contextlib.suppress(DatasetError):
            if folder.key not in wanted:
                if manifest is None:
                    _take(folder, layout.top, taken)
                continue
            ids = wanted[folder.key]
            tasks[folder.key] = (None, {})
            found, items = _surveyed(folder.annotation, ids)
            if manifest is None:
                task = _of_general_bench(folder, layout.top, found, taken, [])()
            else:
                task = _of_manifest(folder, layout.top, found, by_key, [])()
            tasks[folder.key] = (task, _read(task, items, ids))
    return tasks


def instances_in(task: FolderTask, ids: frozenset[str]) -> dict[str, Instance]:
    """Instances of a task that was found before, and whose annotation is as it was. Raises DatasetError."""
    return _read(task, _surveyed(task.annotation, ids)[1], ids)


def _read(task: FolderTask, items: Mapping[int, object], ids: frozenset[str]) -> dict[str, Instance]:
    read = (task.instance(item, position) for position, item in items.items())
    return {instance.id: instance for instance in read if instance.id in ids}


def _surveyed(annotation: Path, ids: frozenset[str]) -> tuple[Survey, dict[int, object]]:
    """What a sound annotation says, and the items that may have these ids, by position."""
    # An id that as it is written does not tell items apart has its item's position behind it.
    tails = (tail for one in ids for _, sign, tail in (one.rpartition("#"),) if sign and tail.isdecimal())
    positions = frozenset(map(int, tails))
    items: dict[int, object] = {}

    def see(position: int, written: str, item: object) -> None:
        if written in ids or position in positions:
            items[position] = item

    return survey(annotation, see), items


def _take(folder: TaskFolder, top: Path, taken: dict[str, str]) -> None:
    """Notes which published task a folder is. If its name and place say so, its items are not read."""
    envelope = read_head(folder.annotation)
    if not envelope.task or place_of_folder(folder.place, top)[0] is None:
        envelope = read_envelope(folder.annotation)  # what follows the items counts too
    task = resolve(folder.name, envelope.task, *_place(folder, top, envelope)).task
    if task is not None:
        taken.setdefault(task.id, folder.key)


def _of_general_bench(folder: TaskFolder, top: Path, found: Survey, taken: dict[str, str], problems: list[str]) -> Callable[[], FolderTask]:
    """What makes a folder's task. taken: the folder of each published task so far; two folders are not one task."""
    modality, paradigm = _place(folder, top, found.envelope)
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
    return partial(FolderTask, folder, found, name=label, modality=modality, paradigm=paradigm, task=task, metric=metric)


def _of_manifest(folder: TaskFolder, top: Path, found: Survey, by_key: Mapping[str, Task], problems: list[str]) -> Callable[[], FolderTask]:
    """What makes a folder's task. by_key: those that suite.yaml lists."""
    task = by_key.get(folder.key)
    metric: TaskMetric | None
    if task is not None:
        modality, paradigm, metric, name = task.modality, task.paradigm, task.metric, task.name
    else:
        problems.append(f"{folder.key}: suite.yaml does not list it; asked, but outside the levels")
        placed, paradigm = _place(folder, top, found.envelope)
        modality = placed or Modality.LANGUAGE
        metric, name = _metric_by_type(folder, found, modality, paradigm, problems), folder.name
    return partial(FolderTask, folder, found, name=name, modality=modality, paradigm=paradigm, task=task, metric=metric)


def layout_of(root: Path) -> Layout:
    """The task folders of a suite. Raises DatasetError if there is none."""
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


def _place(folder: TaskFolder, top: Path, envelope: Envelope) -> tuple[Modality | None, Paradigm | None]:
    modality, paradigm = place_of_folder(folder.place, top)
    if modality is None:
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
