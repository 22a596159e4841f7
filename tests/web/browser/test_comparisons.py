"""A comparison that takes long comes to the page by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.web.browser.looking import Looking
    from tests.web.browser.stored_data import StoredData


def test_a_comparison_comes_by_itself(looking: Looking, stored: StoredData) -> None:
    page = looking.open(f"/compare?run={stored.runs[-1]}&run={stored.runs[0]}")
    page.locator("#compared h3", has_text="Tasks").wait_for(timeout=60_000)
    assert page.locator("#compared").count() == 1
    assert page.locator("#compared [role=status]").count() == 0
    page.close()
