"""Streaming an annotation file: its items one at a time, its envelope without its items, in memory that does not grow with it."""

from __future__ import annotations

import codecs
import gc
import hashlib
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import islice, takewhile
from pathlib import Path
from typing import BinaryIO, Literal

import ijson
import orjson

from genlevel.benchmark.item_shapes import ITEM_KEYS
from genlevel.runtime.errors import DatasetError

_CHUNK = 1 << 16
_HEAD = 1 << 12
"""Bytes that are read at a time: of a file that is read to its end, and of one whose beginning says enough."""

_SAMPLE = 20
_DEEPEST = 100
_MOST_AT_ONCE = 24 << 20
"""Bytes of a file that may be read at once: as objects they are some eight times as much."""
_MOST_STREAMED_AT_ONCE = 256 << 10
"""Bytes of a file whose items may all be in memory while they are gone through: a task of General-Bench has some 460 questions."""

_MEMORY = threading.Lock()

_Found = tuple[Literal["item", "field"], str, object]


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
    predicted = False
    try:
        with closing(stream_items(path, _HEAD)) as items:
            for item in islice(items, _SAMPLE):
                if isinstance(item, dict):
                    if any(key in item for key in ITEM_KEYS):
                        return FileKind.ANNOTATION
                    predicted = predicted or "prediction" in item
    except DatasetError:
        if not predicted:
            return FileKind.BROKEN
    return FileKind.PREDICTIONS if predicted else FileKind.OTHER


def read_envelope(path: Path, on_item: Callable[[object], None] = lambda item: None, *, at_once: bool = False) -> Envelope:
    """The file's fields beside `data`, which may follow it. on_item sees every item in passing; none is kept.

    at_once: a file that was read before, so that it is known to be sound, may be read into memory if it is not large; that is quicker.
    Raises DatasetError naming where the file is broken.
    """
    if not at_once:
        return _envelope(_walk(path), on_item)
    with _one_in_memory():
        return _envelope(_walk_at_once(path), on_item)


def read_head(path: Path) -> Envelope:
    """What of the envelope stands before `data`. Raises DatasetError naming where the file is broken."""
    with closing(_walk(path, _HEAD)) as found:
        return _envelope(takewhile(lambda one: one[0] == "field", found), lambda item: None)


def _envelope(found: Iterable[_Found], on_item: Callable[[object], None]) -> Envelope:
    single: dict[str, str] = {}
    listed: dict[str, list[str]] = {"modality.in": [], "modality.out": []}
    for kind, key, value in found:
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


def stream_items(path: Path, chunk: int = _CHUNK, *, sound: int | None = None) -> Generator[object, None, None]:
    """The entries of `data` in order, one at a time, as plain JSON values. chunk: bytes that are read at a time.

    sound: how many items the file had when it was read before, without an error: a small one is then read at once, which takes a tenth of
    the time. Raises DatasetError naming the item at which the file is truncated, malformed, nested too deeply or not UTF-8.
    """
    if sound is not None and (items := _items_at_once(path)) is not None and len(items) == sound:
        items.reverse()
        while items:  # each is forgotten once it is passed on
            yield items.pop()
        return
    with closing(_walk(path, chunk)) as found:
        for kind, _, value in found:
            if kind == "item":
                yield value


def _walk(path: Path, chunk: int = _CHUNK) -> Generator[_Found, None, None]:
    """("item", "", value) for each entry of `data`, ("field", "others.bbox_format", scalar) for what stands beside it.

    Built on the parser's bare events: its own item builder costs quadratic memory on deep nesting and crashes on numbers of
    thousands of digits, so nesting is bounded here and numbers are 64-bit.
    """
    place: list[str] = []  # keys of the objects and lists that are open beside the items; "" in a list
    stack: list[dict[str, object] | list[object]] = []  # containers that are open within an item
    key = ""  # of what comes next, in the innermost of them
    depth = items = 0
    with _opened(path) as file:
        try:
            for event, value in ijson.basic_parse(file, buf_size=chunk, use_float=True):
                if depth > _DEEPEST:
                    raise DatasetError(f"{path}: at item {items}: nested more than {_DEEPEST} deep")
                if event == "map_key":
                    if stack:
                        key = value
                    else:
                        place[-1] = value
                elif event in ("end_map", "end_array"):
                    depth -= 1
                    if not stack:
                        place.pop()
                        continue
                    built = stack.pop()
                    if not stack:
                        yield "item", "", built
                        items += 1
                elif event in ("start_map", "start_array"):
                    depth += 1
                    opened: dict[str, object] | list[object] = {} if event == "start_map" else []
                    if stack:
                        _attach(stack[-1], key, opened)
                    if stack or place == ["data", ""]:
                        stack.append(opened)
                    else:
                        # A bare list has no fields, so its entries are not `data`.
                        place.append("" if place or event == "start_map" else "[]")
                elif stack:
                    _attach(stack[-1], key, value)
                elif place == ["data", ""]:
                    yield "item", "", value
                    items += 1
                else:
                    yield "field", ".".join(part for part in place if part), value
        except (ijson.JSONError, UnicodeDecodeError, ArithmeticError, ValueError, OSError) as error:
            raise _broken(path, file, items, error) from None


def _walk_at_once(path: Path) -> Iterator[_Found]:
    """What ``_walk`` gives of a sound file. One that is large, or that the stricter parser does not take, is walked."""
    document = _loaded(path, _MOST_AT_ONCE)
    if document is None:
        yield from _walk(path)
        return
    for key, value in document.items():
        if key == "data" and isinstance(value, list):
            yield from (("item", "", item) for item in value)
        else:
            yield from _fields(key, value)


def _items_at_once(path: Path) -> list[object] | None:
    """The items of a small file; None if it is to be walked."""
    document = _loaded(path, _MOST_STREAMED_AT_ONCE)
    items = None if document is None else document.get("data")
    return items if isinstance(items, list) else None


def _loaded(path: Path, most: int) -> dict[str, object] | None:
    """A file's object; None if it is larger than so many bytes, or is not plain JSON."""
    try:
        document = orjson.loads(path.read_bytes()) if path.stat().st_size <= most else None
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


@contextmanager
def _one_in_memory() -> Iterator[None]:
    """For one file at a time. Its objects are not garbage: to look for some among them would take as long as reading them."""
    with _MEMORY:
        collects = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collects:
                gc.enable()


def _fields(place: str, value: object) -> Iterator[_Found]:
    """The scalars in a value beside the items, each under the keys that lead to it."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _fields(".".join(part for part in (place, key) if part), inner)
        case list():
            for inner in value:
                yield from _fields(place, inner)
        case _:
            yield "field", place, value


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
