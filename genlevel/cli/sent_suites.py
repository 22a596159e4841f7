"""Suites between a command and a configured evaluator, which takes names and no paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings


def sent_suite(settings: Settings, text: str) -> str:
    """The name of a suite for the configured evaluator; that of the configured folder's if it is a path of this machine.

    Raises UsageError for a path that is below none of suites.folders: the evaluator could not see it.
    """
    from genlevel.benchmark.suite_folders import SuiteFolders
    from genlevel.benchmark.suites import shipped_suites

    if text in shipped_suites() or not text.strip():
        return text
    try:
        path = Path(text).expanduser()
        here = path.exists()
    except (OSError, ValueError, RuntimeError):
        return text
    if not here and not path.is_absolute() and text[0] not in ".~":
        return text
    if here and (name := SuiteFolders(settings.suites.folders).name_of(path)) is not None:
        return name
    if here and text == path.name:
        raise UsageError(
            f"--suite {text}: ./{text} is taken, which lies here, and the evaluator at {settings.addresses.evaluator} takes no path; "
            "if its own suite of this name is meant, give the command in another folder"
        )
    raise UsageError(
        f"--suite {text}: the evaluator at {settings.addresses.evaluator} takes no path; put the suite below a folder that suites.folders "
        "names in its genlevel.yaml and in this one, or give its name there"
    )


def seen_suite(settings: Settings, stored: str) -> str:
    """What this machine finds the suite of a run by: the place of a configured folder's, if it is stored by name."""
    if not settings.suites.folders or Path(stored).is_absolute():
        return stored
    from genlevel.benchmark.suite_folders import SuiteFolders

    place = SuiteFolders(settings.suites.folders).find(stored)
    return stored if place is None else str(place)
