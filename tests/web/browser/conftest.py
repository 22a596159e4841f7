"""The system's Chromium, and the pages over stored runs, started once.

GENLEVEL_SCREENSHOTS: a folder where the pictures of all pages are kept. GENLEVEL_PAGES_DATA: a data folder that is looked at, if no new
one is to be made (half a minute).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.browser import stored_data
from tests.web.browser.stored_data import StoredData

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.browser.looking import Looking


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker does all that has a browser: it is one browser, over one data folder. First, before groups and order are looked at."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.full)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. While it runs there is an event loop in this thread: other modules' tests have loops of their own."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StoredData:
    """Runs that the pages show."""
    given = os.environ.get("GENLEVEL_PAGES_DATA")
    if given:
        return stored_data.found(Path(given))
    folder = tmp_path_factory.mktemp("pages") / "data"
    stored_data.make(folder, request.getfixturevalue("openset"))
    return stored_data.found(folder)


@pytest.fixture(scope="session")
def pages(stored: StoredData) -> Iterator[str]:
    """Where ``genlevel view`` serves them, such as http://127.0.0.1:7400."""
    with viewed(stored.folder) as address:
        yield address


@contextmanager
def viewed(folder: Path, *options: str) -> Iterator[str]:
    """``genlevel view`` over a folder; where it serves. options: of genlevel."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")}
    command = [sys.executable, "-m", "genlevel", *options, "view", "--no-browser", "--port", "0", "--out", str(folder)]
    with subprocess.Popen(command, env=clean, cwd=folder.parent, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://[\d.]+:\d+", line)
        assert found, line + process.stderr.read()
        yield found[0]
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def looking(chromium: Browser, pages: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    """Checks pages: ``looking.check(path)``."""
    pytest.importorskip("axe_playwright_python")
    from tests.web.browser.looking import Looking

    kept = os.environ.get("GENLEVEL_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    found = Looking(chromium, pages, folder)
    yield found
    found.close()
