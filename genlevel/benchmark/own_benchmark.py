"""The benchmark that a suite of one's own is, from its suite.yaml alone: levels need it without the suite's data."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from genlevel.benchmark.manifest import Manifest, ManifestTask
from genlevel.benchmark.metrics import metric, resolve_metric
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.places import place_of_folder
from genlevel.benchmark.sheets import sheet_of
from genlevel.runtime.errors import DatasetError


def own_benchmark(root: Path, manifest: Manifest) -> Benchmark:
    """The benchmark that a suite.yaml describes, from the file alone. Raises DatasetError naming the field that is wrong."""
    rows: dict[str, int] = {}
    tasks = []
    names: set[tuple[str, str]] = set()
    for key, entry in manifest.tasks.items():
        where = f"{root / 'suite.yaml'}: tasks.{key}"
        modality, paradigm = _manifest_place(where, root, key, entry)
        sheet = sheet_of(modality, paradigm)
        name = entry.name or key.rsplit("/", 1)[-1]
        if (sheet, name) in names:
            raise DatasetError(f"{where}: another task of {sheet} is named {name!r} too; give it a name of its own")
        names.add((sheet, name))
        measured = _manifest_metric(where, entry, sheet, name)
        _check_reference(where, entry.reference, measured)
        row = rows.setdefault(sheet, 0)
        rows[sheet] += 1
        tasks.append(
            Task(
                id=f"{sheet.casefold()}/{name.casefold().replace(' ', '-')}",
                name=name,
                short_name=name,
                sheet=sheet,
                row=row,
                number=str(row + 1),
                modality=modality,
                paradigm=paradigm,
                metric=measured,
                reference_workbook=entry.reference,
                reference_appendix=entry.reference,
                skill=entry.skill,
                domain=entry.domain,
                capability=entry.capability,
            )
        )
    return Benchmark(manifest.name, tuple(tasks))


def _manifest_metric(where: str, entry: ManifestTask, sheet: str, name: str) -> TaskMetric:
    try:
        found = resolve_metric(entry.metric, sheet, name)
    except DatasetError as error:
        raise DatasetError(f"{where}.metric: {error}") from None
    return replace(found, parameters=tuple(sorted(({**dict(found.parameters), **entry.metric_parameters}).items())))


def _check_reference(where: str, reference: float | None, measured: TaskMetric) -> None:
    """Raises DatasetError for a specialist's score that the metric cannot have: it could never be won, or always is."""
    info = metric(measured.id)
    if reference is None or info.lowest <= reference <= info.highest:
        return
    possible = f"{info.lowest:g} or more" if math.isinf(info.highest) else f"{info.lowest:g} to {info.highest:g}"
    unit = f" (in {info.unit})" if info.unit else ""
    raise DatasetError(f"{where}.reference: {reference:g} is no value of {measured.label}, which is {possible}{unit}")


def _manifest_place(where: str, root: Path, key: str, entry: ManifestTask) -> tuple[Modality, Paradigm | None]:
    modality, paradigm = place_of_folder(root / key, root)
    if entry.modality is not None:
        modality = entry.modality
    if entry.paradigm is not None:
        paradigm = entry.paradigm
    if modality is Modality.LANGUAGE:
        return modality, None
    if modality is None or paradigm is None:
        raise DatasetError(
            f"{where}: its path names no modality and paradigm (nlp/..., image/comprehension/...); add `modality` and `paradigm`"
        )
    return modality, paradigm
