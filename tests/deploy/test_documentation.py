"""The documentation holds together: links lead somewhere, the index has every page, the list of commands every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genlevel.cli import COMMANDS

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def pages(repository: Path) -> dict[Path, str]:
    found = [*repository.glob("*.md"), *(repository / "docs").rglob("*.md"), repository / "deploy" / "README.md"]
    return {page: page.read_text("utf-8") for page in found}


def test_every_link_leads_to_a_file_and_its_heading(pages: dict[Path, str]) -> None:
    lost = []
    for page, text in pages.items():
        for link in _LINK.findall(text):
            if link.startswith(("http://", "https://", "mailto:")):
                continue
            path, _, heading = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (heading and heading not in _anchors(target.read_text("utf-8"))):
                lost.append(f"{page.name}: {link}")
    assert lost == []


def test_the_index_has_every_page(repository: Path, pages: dict[Path, str]) -> None:
    index = repository / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in _LINK.findall(pages[index])}
    assert {page.name for page in (repository / "docs").glob("*.md")} - {page.name for page in linked} - {"README.md"} == set()


def test_every_command_is_listed(repository: Path, pages: dict[Path, str]) -> None:
    told = "".join(pages[repository / "docs" / name] for name in ("commands.md", "services.md", "embedded.md"))
    assert [name for name in COMMANDS if f"genlevel {name}" not in told and f"`{name}`" not in told] == []


def _anchors(text: str) -> set[str]:
    """A heading's address, as hosts of repositories make it."""
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}
