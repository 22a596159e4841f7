"""A page as a reader's browser shows it, and what must hold of each: it is whole, readable for all, and quiet.

Playwright and axe come with the group `full`, so whoever imports this asks for them first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
LOOKS: Mapping[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    "plain": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}, "java_script_enabled": False},
}
WIDER = """() => {
  const wide = document.documentElement.scrollWidth;
  const past = [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll"));
  return wide > innerWidth ? `${wide} px of ${innerWidth}: ` + past.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(" | ") : "";
}"""
TOLD = """() => [...document.querySelectorAll("#main h1, #main h2, #main h3, #main caption")].filter((e) => e.checkVisibility())
  .map((e) => e.textContent.trim())"""


@dataclass
class Seen:
    """What a browser complains of while it shows a page, and what it asks other hosts for."""

    problems: list[str] = field(default_factory=list)

    def watch(self, page: Page, own: str) -> None:
        page.on("console", lambda said: self._says(said.type, said.text))
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        page.on("response", lambda answer: self._answered(answer.status, answer.url))
        page.on("request", lambda request: self._asked(request.url, own))

    def _says(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"console {kind}: {text}")

    def _failed(self, url: str, why: str) -> None:
        if why != "net::ERR_ABORTED":  # the page was left, or a player has enough of a sound
            self.problems.append(f"failed: {url} ({why})")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400:
            self.problems.append(f"{status}: {url}")

    def _asked(self, url: str, own: str) -> None:
        if not url.startswith((own, "data:", "blob:")):
            self.problems.append(f"asks elsewhere: {url}")


class Looking:
    """Looks at the pages of one server in all looks. screenshots: where they are kept, as PAGE-LOOK.png."""

    def __init__(self, browser: Browser, base_url: str, screenshots: Path) -> None:
        self.base_url = base_url
        self.screenshots = screenshots
        self._axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
        self._contexts: dict[str, BrowserContext] = {look: browser.new_context(**options) for look, options in LOOKS.items()}

    def check(
        self, path: str, *, name: str = "", looks: Collection[str] = tuple(LOOKS), then: Callable[[Page], None] | None = None
    ) -> None:
        """Everything that must hold of a page. name: of its screenshots. then: a further look at it, light and wide, by the caller."""
        slug = name or re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")[:80] or "home"
        told = {look: self._looked(path, look, slug, then if look == "light" else None) for look in looks}
        assert told["light"], f"{path}: it has no heading"
        missing = [line for line in told["light"] if line not in told.get("plain", told["light"])]
        assert not missing, f"{path}: not there without JavaScript: {missing}"

    def open(self, path: str, look: str = "light") -> Page:
        """The page in a tab of its own; whoever opens it closes it."""
        page = self.tab(look)
        page.goto(self.base_url + path, wait_until="load")
        return page

    def tab(self, look: str = "light") -> Page:
        """An empty one; whoever opens it closes it."""
        return self._contexts[look].new_page()

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()

    def _looked(self, path: str, look: str, slug: str, then: Callable[[Page], None] | None) -> list[str]:
        """The headings and captions that a reader sees."""
        seen = Seen()
        page = self._contexts[look].new_page()
        try:
            seen.watch(page, self.base_url)
            answer = page.goto(self.base_url + path, wait_until="load")
            assert answer is not None
            assert answer.status == 200, f"{path}: {answer.status} {page.inner_text('#main')[:300]}"
            if look in ("light", "dark"):
                self._is_readable_for_all(page, f"{path} ({look})", ALL if look == "light" else COLOURS)
            if look == "light":
                page.keyboard.press("Tab")
                assert page.evaluate("document.activeElement.className") == "skip", f"{path}: the first key does not lead to the content"
                page.evaluate("document.activeElement.blur()")
            wider = page.evaluate(WIDER)
            assert not wider, f"{path} ({look}): the page scrolls sideways, {wider}"
            page.screenshot(path=self.screenshots / f"{slug}-{look}.png", full_page=True)
            told: list[str] = page.evaluate(TOLD)
            if then is not None:
                then(page)
            assert not seen.problems, f"{path} ({look}): {seen.problems}"
            return told
        finally:
            page.close()

    def _is_readable_for_all(self, page: Page, what: str, rules: Mapping[str, object]) -> None:
        page.evaluate(self._axe)
        found = page.evaluate("(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
        said = [
            f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]} ({len(each['nodes'])} times)" for each in found["violations"]
        ]
        assert not said, f"{what}: {said}"
