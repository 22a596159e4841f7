"""The look at pages finds what it is there to find."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.browser.looking import Looking

HEAD = '<!DOCTYPE html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>T</title></head><body>'
WHOLE = f'{HEAD}<a class="skip" href="#main">Skip</a><main id="main"><h1>Title</h1>%s</main></body></html>'
FAULTS = {
    "console": ("<script>1</script>", "console error"),
    "contrast": ('<p><font color="#eeeeee">faint</font></p>', "color-contrast"),
    "label": ("<input>", "label"),
    "wide": (f"<p>{'m' * 300}</p>", "scrolls sideways"),
    "missing": ('<img src="/nothing.png" alt="nothing">', "404"),
    "elsewhere": ('<link rel="stylesheet" href="http://127.0.0.1:9/x.css">', "asks elsewhere"),
    "scripted": ('<script src="/late.js"></script>', "not there without JavaScript"),
}
LATE = 'document.getElementById("main").insertAdjacentHTML("beforeend", "<h2>Late</h2>")'


class Faulty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.strip("/")
        body = LATE if name == "late.js" else WHOLE % FAULTS[name][0] if name in FAULTS else WHOLE % "" if name == "whole" else ""
        self.send_response(200 if body or "." not in name or name == "favicon.ico" else 404)
        self.send_header("content-type", "text/javascript" if name == "late.js" else "text/html")
        self.send_header("content-security-policy", "default-src * data:; script-src 'self'")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def faulty(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    pytest.importorskip("axe_playwright_python")
    from tests.web.browser.looking import Looking

    folder: Path = tmp_path_factory.mktemp("faulty")
    with ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = Looking(chromium, f"http://127.0.0.1:{server.server_port}", folder)
        yield found
        found.close()
        server.shutdown()


def test_a_whole_page_is_whole(faulty: Looking) -> None:
    faulty.check("/whole")
    assert {file.name for file in faulty.screenshots.iterdir()} >= {f"whole-{look}.png" for look in ("light", "dark", "phone", "plain")}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str, faulty: Looking) -> None:
    with pytest.raises(AssertionError, match=FAULTS[fault][1]):
        faulty.check(f"/{fault}")
