"""Fetches the scripts of others that the pages load, by version, and writes down what they are.

    python scripts/vendor.py

Needs npm. To take another version, change it in PACKAGES, run this, and look at what changed. genlevel/web/static/vendor/VENDORED.json
then has the version, the licence, and the SHA-256 of each file; a test holds the files to it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "genlevel" / "web" / "static" / "vendor"
ENTRY = Path(__file__).with_name("three.entry.js")
BUNDLER = "esbuild@0.28.2"
BUNDLE = (BUNDLER, "--bundle", "--minify", "--format=esm", "--legal-comments=inline", "--charset=utf8")


@dataclass(frozen=True, slots=True)
class Package:
    """One package of npm. files: ours by name, each as the package has it; "" = made from ENTRY by BUNDLE."""

    name: str
    version: str
    licence: str
    files: Mapping[str, str]


PACKAGES = (
    Package("htmx.org", "4.0.1", "0BSD", {"htmx.min.js": "dist/htmx.min.js"}),
    Package("uplot", "1.6.32", "MIT", {"uPlot.iife.min.js": "dist/uPlot.iife.min.js", "uPlot.min.css": "dist/uPlot.min.css"}),
    Package("three", "0.187.0", "MIT", {"three.min.js": ""}),
)


def main() -> int:
    """Returns the process's exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        found = [_vendored(package, Path(folder)) for package in PACKAGES]
    (FOLDER / "VENDORED.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 0


def _vendored(package: Package, work: Path) -> dict[str, object]:
    """Copies a package's files, and says what they are."""
    wanted = f"{package.name}@{package.version}"
    _npm(work, "install", "--no-save", "--no-audit", "--no-fund", wanted, BUNDLER)
    source = work / "node_modules" / package.name
    for ours, theirs in package.files.items():
        if theirs:
            shutil.copyfile(source / theirs, FOLDER / ours)
        else:
            entry = shutil.copy(ENTRY, work / "entry.js")
            _npm(work, "exec", "--offline", "--", *BUNDLE, str(entry), f"--outfile={FOLDER / ours}")
    licence = f"{package.name}.LICENSE.txt"
    shutil.copyfile(source / "LICENSE", FOLDER / licence)
    return {
        "name": package.name,
        "version": package.version,
        "licence": package.licence,
        "licence_text": licence,
        "integrity": _npm(work, "view", wanted, "dist.integrity").strip(),
        "files": {
            ours: {"from": theirs or f"scripts/{ENTRY.name} by {' '.join(BUNDLE)}", "sha256": _sha256(FOLDER / ours)}
            for ours, theirs in package.files.items()
        },
    }


def _npm(work: Path, *arguments: str) -> str:
    return subprocess.run(["npm", *arguments], cwd=work, check=True, stdout=subprocess.PIPE, text=True).stdout


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
