"""Finds weights on this machine without importing anything heavy, and hashes them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path

from scorer.models.catalogue import Network

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".onnx", ".json", ".txt", ".model")


def located(network: Network, named: str) -> Path | None:
    """The file or folder that ``named`` means: a path, a hub id whose files are in the hub's cache, or a package. None: it is not here."""
    if named == "pocketsphinx":
        return package_folder("pocketsphinx")
    if named == "speechmos":
        folder = package_folder("speechmos")
        found = sorted(folder.rglob("sig_bak_ovr.onnx")) if folder is not None else []
        # The one beside it is DNSMOS for one known speaker ("personalised").
        plain = [file for file in found if file.parent.name == "dnsmos_models"]
        return plain[0] if plain else None
    path = Path(named).expanduser()
    if path.exists():
        return path
    return hub_snapshot(named) if is_hub_id(named) else None


def is_hub_id(named: str) -> bool:
    """Whether this is written as a hub's repository is: owner/name."""
    return named.count("/") == 1 and not named.startswith((".", "/", "~")) and all(named.split("/"))


def hub_snapshot(repository: str) -> Path | None:
    """The newest snapshot of a repository in the hub's cache; None if it was never fetched.

    Layout: HF_HUB_CACHE (or HF_HOME/hub)/models--owner--name/{refs/main, snapshots/REVISION}, as huggingface_hub documents it.
    """
    folder = hub_cache() / f"models--{repository.replace('/', '--')}"
    try:
        revision = (folder / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return None
    snapshot = folder / "snapshots" / revision
    return snapshot if snapshot.is_dir() and any(snapshot.iterdir()) else None


def hub_cache() -> Path:
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache)
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(home) / "hub"


def package_folder(name: str) -> Path | None:
    """An installed package's folder, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def sha256_of(path: Path) -> str:
    """Of a file, its bytes' sha256; of a folder, that of its weight and configuration files' names and hashes, by name."""
    if path.is_file():
        return _file_sha256(path)
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.suffix in _WEIGHTS:
            total.update(f"{file.relative_to(path).as_posix()} {_file_sha256(file)}\n".encode())
    return total.hexdigest()


def _file_sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
