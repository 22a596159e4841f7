"""The numbers of instances behind a workbook's scores: kept beside its sheets, out of the way of the official ranker and of edits.

A custom document property holds the number for each task, others the column that they are of and how often each was asked. Sheets and
columns stay the official layout's: the ranker ends on sheets that it does not know.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_COLUMN = "genlevel column"
_INSTANCES = "genlevel n: "
_REPEATS = "genlevel repeats"
_PART = "docProps/custom.xml"
_MOST_BYTES = 4_000_000
_MOST = 2**31 - 1
"""What such a property holds at most."""


@dataclass(frozen=True, slots=True)
class WorkbookInstances:
    """counts: by Task.id, of the column asked for; what is absent is not known. other: the column they are of, if it is not that one.

    repeats: how often each instance was asked; scores are then means over instances of the means over their answers.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    other: str = ""
    repeats: int = 1


NONE_KEPT = WorkbookInstances()


def keep_instances(book: Any, column: str, counts: Mapping[str, int], repeats: int = 1) -> None:
    """Puts the numbers into a workbook of openpyxl that is to be saved."""
    from openpyxl.packaging.custom import IntProperty, StringProperty

    book.custom_doc_props.append(StringProperty(name=_COLUMN, value=column))
    if repeats > 1:
        book.custom_doc_props.append(IntProperty(name=_REPEATS, value=min(repeats, _MOST)))
    for task_id, count in counts.items():
        if 0 < count <= _MOST:
            book.custom_doc_props.append(IntProperty(name=f"{_INSTANCES}{task_id}", value=count))


def kept_instances(path: Path | str, column: str) -> WorkbookInstances:
    """The numbers kept in a workbook for a column (any case); empty if it has none that can be read."""
    found: dict[str, Any] = {}
    # The sheets' reader reports whatever is wrong with the file; the numbers are a supplement.
    with contextlib.suppress(Exception):
        found = _properties(Path(path))
    named = found.get(_COLUMN)
    if not isinstance(named, str):
        return NONE_KEPT
    if named.strip().casefold() != column.strip().casefold():
        return WorkbookInstances(other=named.strip())
    return WorkbookInstances(
        {
            name.removeprefix(_INSTANCES): value
            for name, value in found.items()
            if name.startswith(_INSTANCES) and isinstance(value, int) and not isinstance(value, bool) and value > 0
        },
        repeats=repeats if isinstance(repeats := found.get(_REPEATS), int) and repeats > 1 else 1,
    )


def _properties(path: Path) -> dict[str, Any]:
    from openpyxl.packaging.custom import CustomPropertyList
    from openpyxl.xml.functions import fromstring

    with zipfile.ZipFile(path) as archive:
        if _PART not in archive.namelist() or archive.getinfo(_PART).file_size > _MOST_BYTES:
            return {}
        root: Any = fromstring(archive.read(_PART))
    properties: Iterable[Any] = CustomPropertyList.from_tree(root)
    return {entry.name: entry.value for entry in properties}
