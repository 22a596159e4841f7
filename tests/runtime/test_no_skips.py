"""The rule of tests/conftest.py: if nothing may be skipped, a skip is a failure that gives its reason."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = {
    "test_in_test.py": "import pytest\ndef test_it(): pytest.skip('no data here')\n",
    "test_by_mark.py": "import pytest\n@pytest.mark.skipif(True, reason='no data here')\ndef test_it(): pass\n",
    "test_in_fixture.py": "def test_it(openset): pass\n",
    "test_expected.py": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n",
    "test_by_module.py": "import pytest\npytest.importorskip('a_package_that_is_not_there', reason='no data here')\ndef test_it(): pass\n",
}


def run_pytest(folder: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GENLEVEL_", "PYTEST_")) and name != "CI"}
    arguments = [
        "-m",
        "pytest",
        "-q",
        "--continue-on-collection-errors",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder / "tests"),
    ]
    environment = clean | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | environment
    finished = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True, env=environment)
    return finished.stdout


@pytest.fixture
def folder(tmp_path: Path, repository: Path) -> Path:
    """A project with our conftest and tests that skip, and one that is expected to fail."""
    (tmp_path / "project" / "tests").mkdir(parents=True)
    shutil.copy(repository / "tests/conftest.py", tmp_path / "project" / "tests")
    for name, text in SAMPLES.items():
        (tmp_path / "project" / "tests" / name).write_text(text)
    return tmp_path / "project"


def test_skips_are_allowed_elsewhere(folder: Path) -> None:
    assert "\n4 skipped, 1 xfailed in " in run_pytest(folder)
    assert "\n4 skipped, 1 xfailed in " in run_pytest(folder, CI="true")


def test_each_skip_fails_and_says_why_if_nothing_may_be_skipped(folder: Path) -> None:
    shown = run_pytest(folder, CI="true", GENLEVEL_NO_SKIP="1")
    assert "\n1 failed, 1 xfailed, 3 errors in " in shown
    assert "no data here" in shown
    assert "General-Bench's open set not found at" in shown
