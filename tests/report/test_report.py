"""Reports of runs as files: valid, complete, harmless, and honest about what is not there."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import html5lib
import pytest

from evaluator.journal.records import Answer
from genlevel.benchmark.outcomes import Outcome
from genlevel.connection.services import stored, verdict_of
from genlevel.documents.runs import result_document
from genlevel.report.gathering import MOST_RUNS, Gathered, RunPart, gather
from genlevel.report.html import report_html
from genlevel.report.markdown import report_markdown
from genlevel.report.sections import Report, make_report
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.card import card_of
from tests.performance.stored_runs import make_suite, store_run, usual_answer
from tests.views.decided import ATTAINED, OPEN, UNDECIDED, WON, decision_of

pytestmark = pytest.mark.xdist_group("reports")  # they share three runs
HOSTILE = "</pre></main><script>alert(1)</script><img src=x onerror=alert(2)> | a `b` [c](javascript:d) \u202e \x1b[2J \x00 ```\n# e"


def hostile_answer(run_id: str, task: str, number: int) -> Answer:
    return Answer(run_id, task, f"q{number}", Outcome.ANSWERED, raw_answer=HOSTILE * 50 if number % 2 else "A", created=time.time())


def complete_answer(run_id: str, task: str, number: int) -> Answer:
    return usual_answer(run_id, task, 0 if number % 100 == 8 else number)._replace(instance_id=f"q{number}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A data folder, and its runs: one with an outcome of each instance, one with failures, one with hostile answers."""
    root = tmp_path_factory.mktemp("reports")
    suite = make_suite(root / "suite", 200, 2)

    async def stored_ones() -> list[str]:
        made = {"one": complete_answer, "<b>two</b>|": usual_answer, "three": hostile_answer}
        return [await store_run(root / "data", suite, model=model, answered=answered) for model, answered in made.items()]

    return root / "data", asyncio.run(stored_ones())


async def report_of(folder: Path, runs: list[str]) -> Report:
    async with stored(Settings(), folder) as found:
        return make_report(await gather(found, runs), "2026-11-29 08:00 UTC")


async def test_a_report_is_valid_html_that_loads_and_runs_nothing(folder: tuple[Path, list[str]]) -> None:
    page = report_html(await report_of(*folder))
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert [element.tag for element in tree.iter() if element.tag in ("script", "img", "link", "iframe", "object", "a")] == []
    assert [name for element in tree.iter() for name in element.attrib if name.startswith("on") or name == "style"] == []
    assert "http" not in page.replace("http-equiv", "")
    assert len(page.encode()) < 2_000_000


async def test_a_report_says_the_verdict_first_and_all_that_was_promised(folder: tuple[Path, list[str]]) -> None:
    data, runs = folder
    report = await report_of(data, runs[:1])
    assert [section.title for section in report.sections] == [
        "Verdict", "Wins and near misses", "Strengths and weaknesses", "Examples of what went wrong", "Cost", "What guessing scores",
        "All tasks", "Methods",
        f"Stamp of run {runs[0]}",
    ]  # fmt: skip
    assert report.sections[0].lines[0].startswith("Certified")
    for line in report.sections[0].lines[:3]:
        assert re.search(r"\. [a-z]", line) is None, line
    assert len(report.sections[0].figures) == 2
    assert "sha256" in report.sections[-1].code


async def test_further_runs_are_compared_with_the_first(folder: tuple[Path, list[str]]) -> None:
    data, runs = folder
    report = await report_of(data, runs)
    assert [section.title for section in report.sections[:3]] == ["The runs", f"{runs[0]} beside {runs[1]}", f"{runs[0]} beside {runs[2]}"]
    levels = report.sections[1].tables[0]
    assert [row[4] for row in levels.rows] == [0.0] * len(levels.rows)  # both have the same answers


async def test_what_failed_is_counted_by_its_reason(folder: tuple[Path, list[str]]) -> None:
    data, runs = folder
    section = next(section for section in (await report_of(data, runs[1:2])).sections if section.title == "Examples of what went wrong")
    assert sorted((row[0], row[2]) for row in section.tables[0].rows) == [("failed", 2), ("refused", 2), ("unparsable", 2)]
    assert len(section.examples) == 2


async def test_a_hostile_answer_is_text_in_both_forms(folder: tuple[Path, list[str]]) -> None:
    data, runs = folder
    report = await report_of(data, runs[1:])
    page, text = report_html(report), report_markdown(report)
    for made in (page, text):
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", made)
    assert "<script>alert" not in page
    assert "<b>two" not in page
    outside_code = re.sub(r"(?s)```json.*?```", "", text)
    assert not re.search(r"(?<!\\)<script", outside_code)
    assert not re.search(r"(?<!\\)`", outside_code)
    assert "\n# e" not in outside_code
    assert page.count("onerror") < 40  # answers that say it 50 times are cut


async def test_tables_of_markdown_have_all_their_cells(folder: tuple[Path, list[str]]) -> None:
    text = report_markdown(await report_of(*folder))
    for block in re.findall(r"(?m)(?:^\|.*\n)+", text):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


async def test_a_report_of_nothing_is_refused_in_one_line(folder: tuple[Path, list[str]]) -> None:
    data, runs = folder
    for named, error, said in (
        (["missing"], NotFoundError, "missing"),
        ([runs[0], runs[0]], UsageError, "2 times"),
        ([runs[0]] * (MOST_RUNS + 1), UsageError, "at most"),
    ):
        with pytest.raises(error, match=said):
            await report_of(data, named)


async def test_a_run_that_was_decided_early_has_a_section_after_its_verdict(folder: tuple[Path, list[str]]) -> None:
    data, runs = folder
    async with stored(Settings(), data) as found:
        part = (await gather(found, runs[1:2])).runs[0]
        part.run.status = ev.RUN_STATUS_DECIDED
        part.run.decision.CopyFrom(decision_of([("nlp/Causal-Reasoning", WON), (HOSTILE, UNDECIDED)], (ATTAINED, OPEN, OPEN)))
        card = card_of(result_document(part.run, await verdict_of(found, runs[1])))
        other = (await gather(found, runs[:1])).runs[0]
    early, completed = RunPart(part.run, card, (), ()), RunPart(part.run, card_of({**card.document, "status": "finished"}), (), ())
    some = make_report(Gathered((other, early, completed), ("not here",) * 2), "now").sections[0].tables[0]
    assert [some.columns[4].name, *(row[4] for row in some.rows)] == ["decided early", None, "at least Level 3", None]
    report = make_report(Gathered((early,), ()), "2026-11-29 08:00 UTC")
    assert [section.title for section in report.sections[:2]] == ["Verdict", "Decided early"]
    page, text = report_html(report), report_markdown(report)
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert "<script>alert" not in page
    for made in (page, text):
        assert "Level 3: attained, after 175 answers; pooled betting over 5 tasks: wealth 712, needed 444." in made
    assert "Decided early, above published scores: at least Level 3." in text
    table = text[text.index("What is decided of each task:") :].split("\n\n")[1]
    assert [line.split(" | ")[2] for line in table.splitlines()[2:]] == ["won", "undecided"]
    assert "chance of at most 0.01" in page
