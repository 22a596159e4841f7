"""Hostile answers and media in a real browser: nothing of them runs, loads, covers or widens the page, and shapes are turned."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genlevel.web.places import AnswerPlace
from tests.web.answering import AnsweredRun, Replies, Reply, write_task
from tests.web.hostile import NAMES, TASK, TEXTS, media, png

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.web.browser.looking import Looking

WRITTEN, DRAWN = f"nlp/{TASK}", "image/generation/Image-Deraining"
CUBE = b"ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n" + (
    b"element face 2\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n1 1 0\n0 1 1\n3 0 1 2\n3 0 2 3\n"
)
SOUND = b"RIFF" + struct.pack("<I4s4sIHHIIHH4sI", 16_036, b"WAVE", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16, b"data", 16_000) + bytes(16_000)
MEDIA = {**media(), "shape": CUBE, "sound": SOUND}
EXPECTED = re.compile(r"status of 400|net::ERR_ABORTED")


@dataclass
class Served:
    """Where the pages are, and the run that they show."""

    address: str
    run: str


def _reply(question: str) -> Reply:
    kind, _, name = question.partition("@@")[2].partition("@@")[0].partition(":")
    return [("image/png", MEDIA[name])] if kind == "media" else TEXTS[name]


def _run(folder: Path, suite: Path) -> str:
    run = AnsweredRun(folder / "data", Replies(_reply), suite)
    run.close()
    return run.run


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    suite, names = folder / "bench", list(NAMES.values())
    texts = [
        {
            "id": names[n] if n < len(names) else f"h{n}",
            "input": {"question": f"@@text:{name}@@ {text[:5000]}"},
            "output": {"answer": text if text.strip() else "x"},
        }
        for n, (name, text) in enumerate(TEXTS.items())
    ]
    write_task(suite, WRITTEN, {"task": "hostile", "type": "OpenQA"}, texts)
    drawn = [
        {"id": name, "input": {"image_file": "images/a.png", "prompt": f"@@media:{name}@@"}, "output": {"image_file": "images/a.png"}}
        for name in MEDIA
    ]
    envelope = {"task": "Image-Deraining", "type": "image generation", "modality": {"out": ["image"]}}
    write_task(suite, DRAWN, envelope, drawn, {"images/a.png": png(40, 30)})
    with ThreadPoolExecutor(1) as beside:  # while there is a browser, this thread has a loop of its own
        run = beside.submit(_run, folder, suite).result()
    command = [sys.executable, "-m", "genlevel", "view", "--no-browser", "--port", "0", "--out", str(folder / "data")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")}
    with subprocess.Popen(command, env=clean, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://[\d.]+:\d+", line := process.stderr.readline())
        assert found, line
        yield Served(found[0], run)
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def hostile(chromium: Browser, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    pytest.importorskip("axe_playwright_python")
    from tests.web.browser.looking import Looking

    kept = os.environ.get("GENLEVEL_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    found = Looking(chromium, served.address, folder)
    yield found
    found.close()


def _opened(hostile: Looking, address: str) -> tuple[Page, list[str]]:
    """A page, and what went wrong on it: a dialog, a script, a policy that was broken, a request to elsewhere."""
    wrong: list[str] = []
    page = hostile.tab()
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" and not EXPECTED.search(said.text) else None)
    page.on("request", lambda request: None if request.url.startswith(hostile.base_url) else wrong.append(f"asks {request.url}"))
    page.goto(hostile.base_url + address, wait_until="load")
    return page, wrong


def _wait_until(page: Page, said: str) -> None:
    """As wait_for_function, which needs eval in the page."""
    for _ in range(100):
        if page.evaluate(said):
            return
        page.wait_for_timeout(50)
    raise AssertionError(said)


def test_no_text_runs_covers_or_widens_a_page(hostile: Looking, served: Served) -> None:
    names = list(NAMES.values())
    for number, name in enumerate(TEXTS):
        place = AnswerPlace(served.run, WRITTEN, names[number] if number < len(names) else f"h{number}")
        page, wrong = _opened(hostile, place.answer_address())
        assert not wrong, (name, wrong)
        assert page.title().endswith("· genlevel"), name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}: the page scrolls sideways"
        assert page.locator("#took-heading").is_visible(), f"{name}: the page does not go on to its end"
        page.close()
    for look in ("light", "phone"):
        page = hostile.open(f"/runs/{served.run}/answers?text=a", look)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
        page.close()


def test_the_hostile_list_is_whole_in_all_looks(hostile: Looking, served: Served) -> None:
    hostile.check(f"/runs/{served.run}/answers?task={'nlp/T*'}", name="hostile-answers")


def test_no_medium_runs_or_asks_elsewhere(hostile: Looking, served: Served) -> None:
    for name in MEDIA:
        place = AnswerPlace(served.run, DRAWN, name)
        page, wrong = _opened(hostile, place.answer_address())
        page.wait_for_timeout(100)
        assert not wrong, (name, wrong)
        assert page.locator("#took-heading").is_visible()
        page.close()


def test_a_medium_that_is_opened_by_itself_runs_nothing(hostile: Looking, served: Served) -> None:
    for name in ("png and html", "gif and script"):
        page, wrong = _opened(hostile, AnswerPlace(served.run, DRAWN, name).media_address("answer", 0))
        assert not wrong, (name, wrong)
        assert page.evaluate("document.contentType").startswith("image/"), name
        page.close()


def test_a_sound_is_played_from_where_a_listener_wants(hostile: Looking, served: Served) -> None:
    page, wrong = _opened(hostile, AnswerPlace(served.run, DRAWN, "sound").answer_address())
    _wait_until(page, "document.querySelector('audio').readyState > 0")
    assert page.evaluate("document.querySelector('audio').duration") == 1.0
    page.evaluate("document.querySelector('audio').currentTime = 0.75")
    _wait_until(page, "document.querySelector('audio').currentTime === 0.75 && !document.querySelector('audio').seeking")
    assert not wrong
    page.close()


def test_a_shape_can_be_turned_with_the_keys_and_has_a_still_without_a_script(hostile: Looking, served: Served) -> None:
    address = AnswerPlace(served.run, DRAWN, "shape").answer_address()
    page, wrong = _opened(hostile, address)
    if page.evaluate("document.createElement('canvas').getContext('webgl2') !== null"):
        canvas = page.locator(".shape canvas")
        canvas.scroll_into_view_if_needed()
        canvas.wait_for()
        assert "2 triangles" in (canvas.get_attribute("aria-label") or "")
        canvas.focus()
        before = canvas.screenshot()
        for _ in range(6):
            page.keyboard.press("ArrowRight")
        assert canvas.screenshot() != before
    assert not wrong
    page.close()
    plain = hostile.open(address, "plain")
    assert plain.evaluate("document.querySelector('.shape img').naturalWidth") == 224
    plain.close()
