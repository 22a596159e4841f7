"""Logging in with a browser, and what a page of another site can make it do with the session."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from genlevel.runtime.callers import Role
from tests.token_file import TokenFile
from tests.web.browser.conftest import viewed
from tests.web.browser.stored_data import StoredData

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.browser.looking import Looking

FORGED = """<!DOCTYPE html>
<form method="post" action="{pages}/runs/{run}/describe"><input name="name" value="stolen"><button>Win</button></form>
<img src="{pages}/static/icon.svg" alt=""><iframe src="{pages}/"></iframe>"""


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TokenFile:
    """Before the pages are served, which look at it once a second."""
    file = TokenFile(tmp_path_factory.mktemp("access") / "tokens.yaml")
    file.add("alice", Role.READ)
    file.add("bob", Role.RUN)
    return file


@pytest.fixture(scope="module")
def guarded(chromium: Browser, stored: StoredData, tokens: TokenFile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    """The pages, which ask for a token."""
    pytest.importorskip("axe_playwright_python")
    from tests.web.browser.looking import Looking

    settings = tokens.path.with_name("genlevel.yaml")
    settings.write_text(f"auth: {{tokens: {tokens.path}}}\n")
    with viewed(stored.folder, "--config", str(settings)) as address:
        found = Looking(chromium, address, tmp_path_factory.mktemp("screenshots"))
        yield found
        found.close()


def test_the_login_is_whole_in_all_looks(guarded: Looking) -> None:
    guarded.check("/login?to=/monitors")


def test_a_token_opens_the_page_that_was_wanted_and_no_script_sees_it(guarded: Looking, tokens: TokenFile, stored: StoredData) -> None:
    token, wanted = tokens.tokens["alice"], f"/runs/{stored.runs[0]}/card"
    page = guarded.open(wanted)
    assert page.url == f"{guarded.base_url}/login?to={wanted}"
    page.fill("input[name=token]", "gl_wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    page.fill("input[name=token]", token)
    page.click("button.main")
    page.wait_for_url(f"{guarded.base_url}{wanted}")
    assert page.evaluate("document.cookie") == ""
    assert token not in page.content()
    assert page.locator("form[action$='/describe']").count() == 0, "who may only read is offered nothing"
    page.click("text=Log out")
    page.wait_for_url("**/login")
    page.goto(guarded.base_url + "/")
    assert page.url.endswith("/login")
    page.close()


@pytest.fixture
def other_site(guarded: Looking, stored: StoredData) -> Iterator[str]:
    """Another origin, with a page that would use the visitor's session here."""
    text = FORGED.format(pages=guarded.base_url, run=stored.runs[0])

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_another_site_posts_embeds_and_frames_nothing(guarded: Looking, tokens: TokenFile, other_site: str, stored: StoredData) -> None:
    page = guarded.open("/login")
    page.fill("input[name=token]", tokens.tokens["bob"])
    page.click("button.main")
    page.wait_for_url(f"{guarded.base_url}/")
    answered: dict[str, int] = {}
    page.on("response", lambda answer: answered.__setitem__(answer.url.removeprefix(guarded.base_url), answer.status))
    page.goto(other_site)
    assert page.frames[1].query_selector("main") is None
    assert page.evaluate("document.images[0].naturalWidth") == 0
    asked = "(url) => fetch(url, {credentials: 'include'}).then(() => 'read', () => 'refused')"
    assert page.evaluate(asked, f"{guarded.base_url}/runs.json") == "refused"
    page.click("text=Win")
    page.wait_for_selector("[role=alert]")
    assert answered[f"/runs/{stored.runs[0]}/describe"] == 403
    page.goto(guarded.base_url + "/")
    assert page.locator("text=Log out").count() == 1, "links from elsewhere are followed as who has logged in"
    page.close()
