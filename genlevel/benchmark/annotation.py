"""Streaming an annotation file: its items one at a time, its envelope without its items, in memory that does not grow with it."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

import ijson

from genlevel.benchmark.item_shapes import ITEM_KEYS
from genlevel.runtime.errors import DatasetError

_CHUNK = 1 << 16
_SAMPLE = 20
_DEEPEST = 100
_END: tuple[str, object] = ("", None)


class FileKind(Enum):
    """What a JSON file is, told by its items."""

    ANNOTATION = "annotation"
    PREDICTIONS = "predictions"
    OTHER = "other"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an annotation file says beside its items."""

    task: str = ""
    type: str = ""
    modality_in: tuple[str, ...] = ()
    modality_out: tuple[str, ...] = ()
    skill: str = ""
    set_type: str = ""
    prompt: str = ""
    bbox_format: str = ""
    depth_unit: str = ""


def fingerprint(path: Path) -> str:
    """sha256 of the file's bytes, in hexadecimal. Raises DatasetError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None


def kind_of(path: Path) -> FileKind:
    """What a JSON file is, by the first of its `data` items: an annotation's have input or output, predictions' a prediction."""
    asked = predicted = False
    try:
        for item in islice(stream_items(path), _SAMPLE):
            if isinstance(item, dict):
                asked = asked or any(key in item for key in ITEM_KEYS)
                predicted = predicted or "prediction" in item
    except DatasetError:
        if not asked and not predicted:
            return FileKind.BROKEN
    if asked:
        return FileKind.ANNOTATION
    return FileKind.PREDICTIONS if predicted else FileKind.OTHER


def read_envelope(path: Path, on_item: Callable[[object], None] = lambda item: None) -> Envelope:
    """The file's fields beside `data`, which may follow it. on_item sees every item in passing; none is kept.

    Raises DatasetError naming where the file is broken.
    """
    single: dict[str, str] = {}
    listed: dict[str, list[str]] = {"modality.in": [], "modality.out": []}
    for kind, key, value in _walk(path):
        if kind == "item":
            on_item(value)
        elif key in listed:
            listed[key].append(str(value))
        elif value is not None:
            single.setdefault(key, str(value))
    return Envelope(
        task=single.get("task", ""),
        type=single.get("type", ""),
        modality_in=_words(listed["modality.in"]),
        modality_out=_words(listed["modality.out"]),
        skill=single.get("skill", ""),
        set_type=single.get("set_type", ""),
        prompt=single.get("prompt", "") or single.get("instruction", "") or single.get("others.prompt", ""),
        bbox_format=single.get("others.bbox_format", "") or single.get("bbox_format", ""),
        depth_unit=single.get("others.depth_unit", "") or single.get("depth_unit", ""),
    )


def stream_items(path: Path) -> Generator[object, None, None]:
    """The entries of `data` in order, one at a time, as plain JSON values.

    Raises DatasetError naming the item at which the file is truncated, malformed, nested too deeply or not UTF-8.
    """
    with closing(_walk(path)) as found:
        for kind, _, value in found:
            if kind == "item":
                yield value


def _walk(path: Path) -> Generator[tuple[Literal["item", "field"], str, object], None, None]:
    """("item", "", value) for each entry of `data`, ("field", "others.bbox_format", scalar) for what stands beside it.

    Built on the parser's bare events: its own item builder costs quadratic memory on deep nesting and crashes on numbers of
    thousands of digits, so nesting is bounded here and numbers are 64-bit.
    """
    place: list[str] = []  # keys of the objects and lists that are open beside the items; "" in a list
    stack: list[dict[str, object] | list[object]] = []  # containers that are open within an item
    keys: list[str] = []
    items = 0
    with _opened(path) as file:
        try:
            for event, value in ijson.basic_parse(file, use_float=True):
                if len(stack) + len(place) > _DEEPEST:
                    raise DatasetError(f"{path}: at item {items}: nested more than {_DEEPEST} deep")
                if event == "map_key":
                    if stack:
                        keys[-1] = value
                    else:
                        place[-1] = value
                elif event in ("end_map", "end_array"):
                    if not stack:
                        place.pop()
                        continue
                    built = stack.pop()
                    keys.pop()
                    if not stack:
                        yield "item", "", built
                        items += 1
                elif event in ("start_map", "start_array"):
                    opened: dict[str, object] | list[object] = {} if event == "start_map" else []
                    if stack:
                        _attach(stack[-1], keys[-1], opened)
                    if stack or place == ["data", ""]:
                        stack.append(opened)
                        keys.append("")
                    else:
                        # A bare list has no fields, so its entries are not `data`.
                        place.append("" if place or event == "start_map" else "[]")
                elif stack:
                    _attach(stack[-1], keys[-1], value)
                elif place == ["data", ""]:
                    yield "item", "", value
                    items += 1
                else:
                    yield "field", ".".join(part for part in place if part), value
        except (ijson.JSONError, UnicodeDecodeError, ArithmeticError, ValueError, OSError) as error:
            raise _broken(path, file, items, error) from None


def _attach(container: dict[str, object] | list[object], key: str, value: object) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container.append(value)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file, opened and read past a byte order mark. Raises DatasetError for UTF-16/32 and if it cannot be read."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below; only opening it is explained here
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    with file:
        head = file.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head:
            raise DatasetError(f"{path}: not UTF-8 text (it looks like UTF-16 or binary); save it as UTF-8")
        file.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
        yield file


def _broken(path: Path, file: BinaryIO, item: int, error: Exception) -> DatasetError:
    """What the parser raised, as an error that says where."""
    where = f"at item {item} (near byte {file.tell()})" if item else "at item 0"
    if isinstance(error, OSError):
        return DatasetError(f"{path}: {where}: cannot be read ({error.strerror})")
    reason = str(error).strip().removeprefix("b'").splitlines()[0] if str(error).strip() else type(error).__name__
    if "UTF8" in reason or isinstance(error, UnicodeDecodeError):
        said = "not UTF-8 text; save it as UTF-8"
    elif "EOF" in reason or "ncomplete" in reason:
        said = "the file ends too early (truncated)"
    elif "overflow" in reason:
        said = "a number is too large"
    else:
        said = f"not JSON ({reason.split(chr(92))[0]})"
    return DatasetError(f"{path}: {where}: {said}")


def _words(values: list[str]) -> tuple[str, ...]:
    return tuple(word for value in values for part in value.replace("/", ",").split(",") if (word := part.strip().casefold()))
