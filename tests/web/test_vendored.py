"""What the pages load of others is what their packages have, under a licence that is told."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(str(resources.files("genlevel.web"))) / "static" / "vendor"
PACKAGES = json.loads((FOLDER / "VENDORED.json").read_text("utf-8"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_each_file_is_the_one_that_was_taken(package: dict[str, Any]) -> None:
    for name, file in package["files"].items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == file["sha256"], f"{name}: run scripts/vendor.py"
    assert package["integrity"].startswith("sha512-")
    assert "copy" in (FOLDER / package["licence_text"]).read_text("utf-8")


def test_no_file_is_there_that_nobody_has_named() -> None:
    named = {name for package in PACKAGES for name in (*package["files"], package["licence_text"])}
    assert {file.name for file in FOLDER.iterdir()} == named | {"VENDORED.json"}


def test_the_notice_names_each_package(repository: Path) -> None:
    notice = (repository / "NOTICE").read_text("utf-8")
    for package in PACKAGES:
        assert re.search(rf"{re.escape(package['name'])} {re.escape(package['version'])} .*{package['licence']}", notice)
