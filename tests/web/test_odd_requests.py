"""Requests that no page of ours makes: numbers with leading zeros, parts that are none, addresses that end with a slash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.connection.services import Services
from genlevel.runtime.callers import Caller
from genlevel.runtime.errors import UsageError
from genlevel.runtime.listening import Web
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.door import Door
from genlevel.web.page import Asked
from genlevel.web.pages.run_forms import wished_limits
from tests.web.test_bounds import Pages, no_runs, scope


def asked(written: str) -> Asked:
    return Asked(Services.__new__(Services), Settings(), Caller.__new__(Caller), {}, {"n": [written]})


@given(st.integers(0, 6000), st.integers(0, 10**13), st.integers(0, 10**9))
def test_a_number_is_within_its_bounds_however_many_zeros_lead_it(zeros: int, number: int, most: int) -> None:
    written = "0" * zeros + str(number)
    if number <= most:
        assert asked(written).whole("n", 7, most=most) == number
    else:
        with pytest.raises(UsageError, match=r"n is '0*[0-9]*.*give a whole number from 0 to"):
            asked(written).whole("n", 7, most=most)


@pytest.mark.parametrize("number", ["4097", "99999", "9" * 30, "9" * 5000])
def test_a_limit_is_within_its_bounds_however_many_zeros_lead_it(number: str) -> None:
    wished, errors = wished_limits(ev.TrafficSettings(), {"concurrency": "0" * 25 + number})
    assert list(errors) == ["concurrency"]
    assert "is no whole number from 1 to 4,096" in errors["concurrency"]
    assert not wished.ListFields()
    wished, errors = wished_limits(ev.TrafficSettings(), {"concurrency": "0" * 25 + "4"})
    assert (wished.concurrency, errors) == (4, {})


@pytest.mark.parametrize("part", ["main", "heading", "scripts", "nothing"])
async def test_a_part_that_is_no_part_of_a_page_by_itself_is_the_page(part: str) -> None:
    async with Pages(no_runs).client() as client:
        answer = await client.get("/", params={"part": part})
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith("<!DOCTYPE html>")


async def test_an_address_that_ends_with_a_slash_leads_nowhere_by_a_name_that_was_sent() -> None:
    async with Pages(no_runs).client() as client:
        for path in ("/leaderboard/", "/monitors/", "/runs/x/card/"):
            answer = await client.get(path, headers={"host": "127.0.0.1:1"})
            assert answer.status_code == 404
            assert "location" not in answer.headers
            assert "there is no such page" in answer.text


async def test_an_address_makes_no_line_of_its_own_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with Pages(no_runs).client() as client:
        answer = await client.get("/runs/a%0a09:00:00%20INFO%20forged/card")  # these services know no runs
        assert answer.status_code == 500
    assert "forged" in caplog.text
    assert not [record for record in caplog.records if "\n" in record.getMessage()]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Pages.example:443/", "https://pages.example"),
        ("http://pages.example:80", "http://pages.example"),
        ("https://pages.example:8443", "https://pages.example:8443"),
    ],
)
def test_forms_come_from_the_address_that_browsers_use_however_it_is_written(url: str, origin: str) -> None:
    headers = [(b"host", b"inner:7400"), (b"origin", origin.encode()), (b"sec-fetch-site", b"same-origin")]
    door = Door(web=Web(url=url))
    assert door.is_own_request({**scope("/x"), "method": "POST", "headers": headers})
    headers[1] = (b"origin", b"https://pages.example:1")
    assert not door.is_own_request({**scope("/x"), "method": "POST", "headers": headers})
