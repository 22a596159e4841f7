"""Finds the OpenMP runtime that llama.cpp's library wants (libgomp.so.1), on slim systems that do not have it.

Such a system gets the copy that scikit-learn's wheel carries (installed without its dependencies and never imported):
a folder with a link of the right name is put before the child's library path.
"""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

LIBRARY = "libgomp.so.1"
OPENMP_REQUIREMENT = "scikit-learn==1.9.1"


def system_has_it(load: Callable[[str], object] = ctypes.CDLL) -> bool:
    """Whether the system's own loader finds the library (elsewhere than on Linux the wheels bring their own)."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        load(LIBRARY)
    except OSError:
        return False
    return True


def bundled(folders: Iterable[Path] | None = None) -> Path | None:
    """A copy that an installed wheel carries; None if there is none."""
    places = [Path(sysconfig.get_path("platlib"))] if folders is None else folders
    return next((file for place in places for file in sorted(place.glob("*.libs/libgomp*.so*"))), None)


def is_missing() -> bool:
    """Whether neither the system nor an installed wheel has the library."""
    return not system_has_it() and bundled() is None


def environment(folder: Path, *, system: bool | None = None) -> dict[str, str]:
    """What to add to the child's environment so that it finds the library; nothing if the system has it.

    folder: where the link is put.
    """
    if system_has_it() if system is None else system:
        return {}
    copy = bundled()
    if copy is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{LIBRARY}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(copy)
    fresh.replace(folder / LIBRARY)  # at once: another process may be starting here too
    before = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": f"{folder.absolute()}{os.pathsep + before if before else ''}"}
