"""The list of runs: found by what they ask and are called, a page at a time, and picked to be compared."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.pages import runs
from tests.evaluator.conftest import ScriptedGateway
from tests.web.driven import driven_site
from tests.web.test_run import make_suite, shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three runs."""
    there = tmp_path_factory.mktemp("runs")
    suite = make_suite(there, 3)

    async def make():
        async with driven_site(there / "data", ScriptedGateway(), continues=False) as made:
            for seed in range(3):
                specification = ev.RunSpecification(model="m", suite=str(suite), limit=2, seed=seed)
                run = (await made.evaluator.start_run(ev.StartRunRequest(specification=specification))).run.run_id
                async for _ in made.evaluator.watch_run(ev.WatchRunRequest(run_id=run)):
                    pass
                name, tag = f"<b>number {seed}</b>", "odd" if seed % 2 else "even"
                await made.evaluator.describe_run(ev.DescribeRunRequest(run_id=run, name=name, add_tags=[tag]))

    asyncio.run(make())
    return there / "data"


@pytest.fixture
async def site(folder):
    async with driven_site(folder, ScriptedGateway(), continues=False) as made:
        yield made


def listed(page):
    """The runs on a page, by their names."""
    return [unescape(name) for name in re.findall(r'<td><a href="/runs/\w+"><bdi>(.*?)</bdi>', page)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", (2, 1, 0)),
        ("?tag=even", (2, 0)),
        ("?text=number+1", (1,)),
        ("?status=finished&model=m*&suite=bench", (2, 1, 0)),
        ("?status=running", ()),
        ("?since=1h", (2, 1, 0)),
        ("?since=2999-01-01", ()),
    ],
)
async def test_runs_are_filtered(site, query, numbers):
    page = await site.page(f"/{query}")
    assert listed(page) == [f"<b>number {number}</b>" for number in numbers]
    found = (await site.get(f"/runs.json{query}")).json()
    assert (found["found"], len(found["runs"])) == (len(numbers), len(numbers))
    if not numbers:
        assert "No run is as you ask for it." in page


async def test_pages_joined_are_the_whole_list(site, monkeypatch):
    monkeypatch.setattr(runs, "A_PAGE", 2)
    first = await site.page("/?tag=&model=m")
    assert len(listed(first)) == 2
    older = unescape(re.search(r'href="([^"]+)" rel="next"', first)[1])
    assert "model=m" in older
    second = await site.page(older)
    assert [*listed(first), *listed(second)] == [f"<b>number {number}</b>" for number in (2, 1, 0)]
    assert 'href="/?model=m">The newest' in second


async def test_each_run_can_be_ticked_and_leads_to_its_pages(site):
    page = await site.page("/")
    ids = re.findall(r'name="run" value="(\w+)"', page)
    assert len(ids) == 3
    for run in ids:
        for address in (f'href="/runs/{run}"', f'href="/runs/{run}/card"', f'href="/runs/{run}/answers"'):
            assert address in page
    assert "2 of 2" in shown(page)
    rows = (await site.get("/runs.runs.csv")).text.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ids


@pytest.mark.parametrize(
    ("query", "said"),
    [("status=gone", "status 'gone' is none of"), ("since=soon", "since 'soon': write"), ("after=x", "after is no place")],
)
async def test_a_filter_that_makes_no_sense_is_told(site, query, said):
    assert said in shown(await site.page(f"/?{query}", 400))
