"""What can be asked: shipped suites, a suite folder of the user's own, or a folder in General-Bench layout."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.manifest import MANIFEST, Manifest, shipped_manifest
from genlevel.benchmark.model import GENERAL_BENCH, Benchmark, Instance, Suite
from genlevel.runtime.errors import DatasetError
from genlevel.runtime.shown import quoted


def shipped_suites() -> tuple[str, ...]:
    """Names of the suites that come with the package, in order."""
    root = _shipped_root()
    return tuple(sorted(folder.name for folder in root.iterdir() if (folder / MANIFEST).is_file())) if root.is_dir() else ()


def load_benchmark(name: str) -> Benchmark | None:
    """A benchmark that comes with the package, without reading its data: "general-bench" or a shipped suite's; else None."""
    if name == GENERAL_BENCH:
        return general_bench()
    return _shipped_benchmark(name) if name in shipped_suites() else None


def load_suite(name_or_folder: str | Path, *, with_items: bool = True) -> Suite:
    """A shipped suite by name, a folder with a suite.yaml, or a folder in General-Bench layout: a whole copy, a part, one task.

    A zip archive of such a folder is read as one; so are archives of tasks in a folder (see genlevel.benchmark.archives). Every
    annotation is read once, so that the suite's problems name what cannot be asked or scored. The benchmark is the suite's own if
    it has a suite.yaml, else General-Bench. with_items: look for what is wrong with single items too, which takes a second reading.
    Raises DatasetError if there is no such suite or folder, no task folder in it, or suite.yaml is wrong (naming the line).
    """
    from genlevel.benchmark import loading

    place, manifest = _placed(str(name_or_folder))
    if manifest is None:
        return loading.general_bench_suite(place, _shipped_name(name_or_folder), with_items=with_items)
    suite = loading.own_suite(place, manifest, with_items=with_items)
    given = Path(name_or_folder).expanduser()
    return replace(suite, root=given) if given.is_file() else suite


def find_instances(name_or_folder: str | Path, wanted: Mapping[str, Collection[str]]) -> dict[str, dict[str, Instance]]:
    """Instances of a suite by task and id, as ``load_suite`` gives them; none for what it does not have, or cannot be read.

    wanted: ids by the task's key. Other tasks' items are not read. Raises DatasetError if there is no such suite.
    """
    from genlevel.benchmark.loading import find_in_tasks

    place, manifest = _placed(str(name_or_folder))
    return find_in_tasks(place, manifest, {key: frozenset(ids) for key, ids in wanted.items()})


def placed_suite(name_or_folder: str | Path) -> tuple[Path, Manifest | None]:
    """Where a suite lies (the folder, or the archive of a part of General-Bench), and its manifest if it is its own benchmark.

    Raises DatasetError if there is no such suite.
    """
    return _placed(str(name_or_folder))


def _placed(text: str) -> tuple[Path, Manifest | None]:
    """Where a suite lies (the folder, or the archive of a part of General-Bench), and its manifest if it is its own benchmark."""
    from genlevel.benchmark.archives import is_archive, unpacked

    place = _folder(text)
    if text in shipped_suites():
        place = inside = _shipped_root() / text
    elif place.is_dir():
        inside = place
    elif is_archive(place) and place.is_file():
        inside = unpacked(place)
    elif place.exists():
        raise DatasetError(f"{text} is a file; a suite is a folder, or a zip archive of one")
    else:
        shipped = ", ".join(shipped_suites()) or "none"
        raise DatasetError(f"{text!r} is neither a shipped suite ({shipped}) nor a folder here; give a folder in General-Bench layout")
    return (inside, _manifest(inside)) if (inside / MANIFEST).is_file() else (place, None)


def _folder(text: str) -> Path:
    """The path that somebody wrote. Raises DatasetError if it can be none."""
    try:
        folder = Path(text).expanduser()
        folder.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise DatasetError(f"{quoted(text)} cannot be a folder ({getattr(error, 'strerror', None) or error})") from None
    return folder


def _shipped_name(name_or_folder: str | Path) -> str:
    """A shipped suite's name; "" for a folder or an archive, which is named for itself."""
    return str(name_or_folder) if str(name_or_folder) in shipped_suites() else ""


def _manifest(folder: Path) -> Manifest:
    from genlevel.benchmark.manifest_file import load_manifest

    return load_manifest(folder / MANIFEST)


@cache
def _shipped_benchmark(name: str) -> Benchmark:
    from genlevel.benchmark.own_benchmark import own_benchmark

    folder = _shipped_root() / name
    return own_benchmark(folder, shipped_manifest(folder / MANIFEST))


def _shipped_root() -> Path:
    return Path(str(resources.files("genlevel.benchmark"))) / "data" / "suites"
