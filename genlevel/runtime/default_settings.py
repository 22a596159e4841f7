"""The settings if there is no file: found out without reading one, and without what checks one.

A command that only looks something up asks where runs are stored and where services are, no more; pydantic and YAML would be a fifth of
what it costs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings

ENVIRONMENT_VARIABLE = "GENLEVEL_CONFIG"
DEFAULT_FILE = "genlevel.yaml"
VARIABLES = "GENLEVEL_"
"""What environment variables begin with that settings come from (settings_variables.py)."""
SECTIONS = (
    *("gateway", "evaluator", "scorer", "web", "addresses", "storage", "queue", "worker", "suites", "runs", "limits", "embedded", "log"),
    *("traces", "auth", "grace_s", "accounts", "routes", "destinations", "monitors", "prices", "prices_file"),
)
"""What settings begin with; a test holds them to those."""

KNOWN: Mapping[str, Mapping[str, object]] = {
    "addresses": {"evaluator": ""},
    "suites": {"folders": []},
    "storage": {"url": "", "blobs": "", "patience_s": 60.0, "durability": "process"},
    "scorer": {"weights": {}},
    "worker": {"device": ""},
}
"""Defaults that are known without the settings themselves; a test holds them to those."""


def settings_file(path: Path | None) -> tuple[Path, str] | None:
    """The file that settings come from, and who names it: --config, GENLEVEL_CONFIG, or its usual name. None: there is none."""
    if path is not None:
        return path, "--config"
    if named := os.environ.get(ENVIRONMENT_VARIABLE, ""):
        return Path(named), ENVIRONMENT_VARIABLE
    default = Path(DEFAULT_FILE)
    return (default, DEFAULT_FILE) if default.exists() else None


def are_configured(path: Path | None) -> bool:
    """Whether settings are read from somewhere: a file, or environment variables that may be some."""
    beginnings = tuple(f"{VARIABLES}{section}".upper() for section in SECTIONS)
    variables = [name for name in os.environ if name.startswith(VARIABLES)]
    return settings_file(path) is not None or any("__" in name or name.upper().startswith(beginnings) for name in variables)


def default_settings() -> Settings:
    """The default settings, which are made when something is asked that is not ``KNOWN``."""
    sections = {name: _Made(known, partial(_section, name)) for name, known in KNOWN.items()}
    return cast("Settings", _Made(sections, _defaults))


@cache
def _defaults() -> Settings:
    from genlevel.runtime.settings import Settings

    return Settings()


def _section(name: str) -> object:
    section: object = getattr(_defaults(), name)
    return section


class _Made:
    """Answers what is known, and makes the whole for the rest."""

    def __init__(self, known: Mapping[str, object], whole: Callable[[], object]) -> None:
        self._known = known
        self._whole = whole

    def __getattr__(self, name: str) -> object:
        return self._known[name] if name in self._known else getattr(self._whole(), name)
