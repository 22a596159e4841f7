"""Which genlevel this is: its version, and the commit that it was made from if that is known for sure."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from genlevel._version import __version__

_ROOT = Path(__file__).resolve().parents[2]
_GIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Version:
    """commit: in full, with "-dirty" if files differ from it; "" if it is not known: it is never guessed."""

    version: str
    commit: str


@cache
def this_version() -> Version:
    """Of the code that runs. Looks once; asks git if this is a checkout."""
    return Version(__version__, _of_checkout(_ROOT) if (_ROOT / ".git").exists() else _of_package(_ROOT))


def is_newer(version: str) -> bool:
    """Whether a version, such as "0.2.0", comes after this one. One that is no such number does not.

    Example:
        >>> is_newer("1000.0"), is_newer("0.0.1"), is_newer("")
        (True, False, False)
    """
    return _numbers(version) > _numbers(__version__)


def _numbers(version: str) -> tuple[int, ...]:
    numbers = version.split(".")
    return tuple(int(number) for number in numbers) if all(number.isdecimal() for number in numbers) else ()


def _of_checkout(root: Path) -> str:
    """The commit of a checkout; "" without git, or if git does not take it for one."""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_S, check=True)
        return found.stdout.strip()
    return ""


def _of_package(root: Path) -> str:
    """The commit that an installer noted (PEP 610) of a package that was installed from a repository; "" of any other."""
    from importlib.metadata import PackageNotFoundError, distribution

    with contextlib.suppress(PackageNotFoundError, OSError, ValueError, AttributeError):
        package = distribution("genlevel")
        if Path(str(package.locate_file("genlevel"))).resolve() == root / "genlevel":
            noted = json.loads(package.read_text("direct_url.json") or "{}")
            commit = noted.get("vcs_info", {}).get("commit_id", "")
            return commit if isinstance(commit, str) else ""
    return ""
