"""What can be asked: shipped suites, a suite folder of the user's own, or a folder in General-Bench layout."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.manifest import MANIFEST, Manifest, shipped_manifest
from genlevel.benchmark.model import GENERAL_BENCH, Benchmark, Suite
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
    from genlevel.benchmark.archives import is_archive

    text = str(name_or_folder)
    folder = _folder(text)
    if text in shipped_suites():
        folder, name = _shipped_root() / text, text
    elif folder.is_dir():
        name = ""
    elif is_archive(folder) and folder.is_file():
        return _packed_suite(folder, with_items)
    elif folder.exists():
        raise DatasetError(f"{text} is a file; a suite is a folder, or a zip archive of one")
    else:
        shipped = ", ".join(shipped_suites()) or "none"
        raise DatasetError(f"{text!r} is neither a shipped suite ({shipped}) nor a folder here; give a folder in General-Bench layout")
    if (folder / MANIFEST).is_file():
        return loading.own_suite(folder, _manifest(folder), with_items=with_items)
    return loading.general_bench_suite(folder, name, with_items=with_items)


def _folder(text: str) -> Path:
    """The path that somebody wrote. Raises DatasetError if it can be none."""
    try:
        folder = Path(text).expanduser()
        folder.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise DatasetError(f"{quoted(text)} cannot be a folder ({getattr(error, 'strerror', None) or error})") from None
    return folder


def _packed_suite(archive: Path, with_items: bool) -> Suite:
    from genlevel.benchmark import loading
    from genlevel.benchmark.archives import unpacked

    inside = unpacked(archive)
    if (inside / MANIFEST).is_file():
        return replace(loading.own_suite(inside, _manifest(inside), with_items=with_items), root=archive)
    return loading.general_bench_suite(archive, with_items=with_items)


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
