"""The pages of a run's answers: what is found, what is told of one answer, and that nothing in them does any harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from genlevel.views.environment import make_environment
from genlevel.web.answer_filter import PAGE
from genlevel.web.places import AnswerPlace
from tests.web.answering import AnsweredRun, Replies, write_task
from tests.web.hostile import NAMES, TASK, TEXTS, assert_harmless

CHOICES = "nlp/Causal-Reasoning"
HOSTILE = f"nlp/{TASK}"


def _reply(question: str) -> str:
    found = re.search(r"@@(\w)(\d+)", question)
    assert found is not None, question
    number = int(found[2])
    if found[1] == "c":
        return "ABx"[number % 3] if number != 4 else "I cannot say which."
    return list(TEXTS.values())[number % len(TEXTS)]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnsweredRun]:
    folder = tmp_path_factory.mktemp("answers")
    suite = folder / "bench"
    items = [
        {"id": f"q{n:03}", "input": {"question": f"@@c{n} Straße {n}?", "options": ["dry", "wet"]}, "output": {"answer": "A"}}
        for n in range(PAGE + 10)
    ]
    write_task(suite, CHOICES, {"task": "Causal-Reasoning", "type": "MultipleChoiceQA"}, items)
    names = list(NAMES.values())
    hostile = [
        {
            "id": names[n] if n < len(names) else f"h{n}",
            "input": {"question": f"@@h{n} {text[:5000]}", "context": text[:5000]},
            "output": {"answer": text if text.strip() else "x"},
        }
        for n, text in enumerate(TEXTS.values())
    ]
    write_task(suite, HOSTILE, {"task": "hostile", "type": "OpenQA"}, hostile)
    run = AnsweredRun(folder / "data", Replies(_reply), suite)
    yield run
    run.close()


def ids_in(page: str) -> list[str]:
    return re.findall(r'class="which"><a href="[^"]*"><bdi>([^<]*)</bdi>', page)


# -- the list


def test_answers_are_listed_a_page_at_a_time_each_once(answered: AnsweredRun) -> None:
    first = answered.page("answers?task=nlp/Causal-Reasoning")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = answered.page(following[1].replace("&amp;", "&"))
    found = [*ids_in(first), *ids_in(second)]
    assert sorted(found) == [f"q{n:03}" for n in range(PAGE + 10)]
    assert 'rel="next"' not in second
    assert "to the first page" in second


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("right=right", range(0, 60, 3)),
        ("right=wrong&outcome=answered", range(1, 60, 3)),
        ("outcome=unparsable", sorted({4, *range(2, 60, 3)})),
        ("text=STRASSE 7", [7]),
        ("least=1", range(0, 60, 3)),
        ("most=0.5&text=q01", [10, 11, 13, 14, 16, 17, 19]),
    ],
)
def test_answers_are_found_by_outcome_rightness_score_and_text(answered: AnsweredRun, query: str, numbers: range) -> None:
    page = answered.page(f"answers?task=nlp/Causal-Reasoning&{query}")
    wanted = [f"q{n:03}" for n in numbers if not (n == 4 and "right=wrong" in query)]
    assert sorted(ids_in(page)) == wanted


def test_a_filter_is_shown_as_it_was_asked_and_tasks_have_their_counts(answered: AnsweredRun) -> None:
    page = answered.page("answers?right=wrong&text=wet&order=worst&least=0")
    for shown in ('value="wrong" checked', 'name="text" value="wet"', 'value="worst" selected', 'name="least" value="0"'):
        assert shown in page
    document = answered.get("answers.json").json()
    counts = {task["task"]: (task["answers"], task["right"]) for task in document["tasks"]}
    assert counts[CHOICES] == (PAGE + 10, 20)
    assert counts[HOSTILE][0] == len(TEXTS)
    assert document["found"] == PAGE + 10 + len(TEXTS)


def test_what_was_searched_is_marked_and_nothing_else_is_made_markup(answered: AnsweredRun) -> None:
    page = answered.page("answers?text=STRASSE 7?")
    assert "<mark>Straße 7?</mark>" in page
    assert_harmless(answered.page("answers?text=<script>alert(1)</script>"))
    assert "<mark>&lt;script&gt;alert(1)&lt;/script&gt;</mark>" in answered.page("answers?text=<SCRIPT>alert(1)</script>")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("right=maybe", "right is 'maybe'"),
        ("outcome=x", "outcome is 'x'"),
        ("least=nan", "least is 'nan'"),
        ("most=1e999", "most is"),
        ("order=random", "order is 'random'"),
        ("text=a&text=b", "text is given 2 times"),
        ("after=W10=", "after: "),
        ("text=" + "x" * 1001, "text: it has 1,001 characters"),
    ],
)
def test_a_filter_that_cannot_be_is_told_in_a_line(answered: AnsweredRun, query: str, said: str) -> None:
    response = answered.get(f"answers?{query}")
    assert response.status_code == 400
    assert said in re.sub(r"&#39;", "'", response.text)


def test_a_page_of_answers_is_csv_too(answered: AnsweredRun) -> None:
    response = answered.get("answers.answers.csv?task=nlp/Causal-Reasoning&right=right")
    assert response.headers["content-type"].startswith("text/csv")
    assert len(response.text.splitlines()) == 21
    assert response.text.splitlines()[1].startswith("nlp/Causal-Reasoning,q000,0,0,0,answered,True,1")


def test_nothing_found_says_so(answered: AnsweredRun) -> None:
    assert "No answer is like that" in answered.page("answers?text=nobody says this")


def test_a_run_that_is_not_there_is_a_line(answered: AnsweredRun) -> None:
    for page in ("answers", "answer?task=a&instance=b", "media?task=a&instance=b", "mask?task=a&instance=b"):
        assert answered.get(f"/runs/nowhere/{page}").status_code == 404


# -- one answer


def one(answered: AnsweredRun, task: str, instance: str, more: str = "") -> str:
    return answered.page(AnswerPlace(answered.run, task, instance).answer_address() + more)


def test_one_answer_has_its_question_answer_label_score_and_what_it_took(answered: AnsweredRun) -> None:
    page = one(answered, CHOICES, "q001")
    for said in ("@@c1 Straße 1?", "<b>A</b>", ">label<", ">answer<", "0.00: wrong", "10 in, 2 out", "r&lt;1&gt;", "✗ wrong", ">stop<"):
        assert said in page, said
    assert "✓ right" in one(answered, CHOICES, "q000")
    page = one(answered, CHOICES, "q002")
    assert "unparsable" in page
    assert "no answer could be read" in page


@pytest.mark.parametrize(
    ("right", "score", "best", "said"),
    [
        (True, 100.0, 100.0, "✓ right"),
        (True, 0.0, 0.0, "✓ right"),
        (False, 0.0, 100.0, "✗ wrong"),
        (False, 20.0, 100.0, "partly right"),
        (False, 3.5, 0.0, "an error"),
        (None, None, None, "answered"),
    ],
)
def test_what_is_right_in_part_is_not_called_wrong(right: bool | None, score: float | None, best: float | None, said: str) -> None:
    macros = cast("Any", make_environment("genlevel.web").get_template("answer_parts.html").module)
    assert said in macros.rightness({"outcome": "answered", "right": right, "score": score, "best": best})


def test_an_answer_knows_its_neighbours_in_the_list_that_it_was_opened_from(answered: AnsweredRun) -> None:
    listed = answered.page("answers?task=nlp/Causal-Reasoning&right=right")
    ids = ids_in(listed)
    address = re.findall(r'class="which"><a href="([^"]+)"', listed)[1].replace("&amp;", "&")
    page = answered.page(address)
    earlier, later = (re.search(f'rel="{name}" href="([^"]+)"', page) for name in ("prev", "next"))
    assert earlier is not None and later is not None  # noqa: PT018
    assert f"<bdi>{ids[0]}</bdi>" in answered.page(earlier[1].replace("&amp;", "&"))
    assert f"<bdi>{ids[2]}</bdi>" in answered.page(later[1].replace("&amp;", "&"))
    assert "Previous" not in one(answered, CHOICES, "q003")


def test_what_is_not_there_or_not_named_is_a_line(answered: AnsweredRun) -> None:
    assert answered.get("answer?task=nlp/Causal-Reasoning&instance=none").status_code == 404
    assert answered.get("answer?task=nlp/Other&instance=q001").status_code == 404
    assert answered.get("answer?instance=q001").status_code == 400
    assert answered.get("answer?task=nlp/Causal-Reasoning&instance=q001&repeat=-1").status_code == 400
    assert answered.get("answer?task=nlp/Causal-Reasoning&instance=q001&all=everything").status_code == 400


def test_the_answers_json_is_the_answer_with_its_call(answered: AnsweredRun) -> None:
    document = answered.get(AnswerPlace(answered.run, CHOICES, "q001").answer_address().replace("/answer?", "/answer.json?")).json()
    assert (document["id"], document["outcome"], document["parsed"], document["label"]) == ("q001", "answered", "B", "A")
    assert document["call"]["response_id"] == "r<1>"
    assert document["others"] == [{"variant": 0, "repeat": 0, "shuffle": 0, "outcome": "answered"}]


# -- nothing does harm


def test_no_text_or_name_does_harm_in_a_list(answered: AnsweredRun) -> None:
    for query in ("", "?order=worst", "?text=a", "?text=%3Cscript%3E", "?text=%E2%80%AE", "?task=nlp/T*"):
        assert_harmless(answered.page(f"answers{query}"), query)
    assert_harmless(answered.get("answers?right=<script>").text)
    table = answered.get(f"answers.answers.csv?task={'nlp/T*'}").text
    assert not re.search(r'(^|,)"?[=@]', table), "a spreadsheet would run it"


def test_no_text_or_name_does_harm_on_its_page(answered: AnsweredRun) -> None:
    for number, (name, text) in enumerate(TEXTS.items()):
        instance = list(NAMES.values())[number] if number < len(NAMES) else f"h{number}"
        place = AnswerPlace(answered.run, HOSTILE, instance)
        page = answered.page(place.answer_address())
        assert_harmless(page, f"{name} as {instance!r}")
        assert len(page) < 300_000, name
        document = answered.get(place.answer_address().replace("/answer?", "/answer.json?")).json()
        assert document["answer"] == text or "\x00" in text, name
        assert document["id"] == instance


def test_a_long_answer_is_cut_and_can_be_seen_whole(answered: AnsweredRun) -> None:
    number = list(TEXTS).index("one line")
    place = AnswerPlace(answered.run, HOSTILE, list(NAMES.values())[number] if number < len(NAMES) else f"h{number}")
    page = answered.page(place.answer_address())
    assert "The first 20,000 of 100,000 characters." in page
    assert "x" * 20_001 not in page
    whole = re.search(r'href="([^"]+)#answer">Show all', page)
    assert whole is not None
    assert "x" * 100_000 in answered.page(whole[1].replace("&amp;", "&"))


def test_pages_say_that_nothing_but_ours_may_be_loaded(answered: AnsweredRun) -> None:
    policy = answered.get("answers").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_other_answers_to_the_same_question_are_linked(tmp_path: Path) -> None:
    items = [{"id": "a/b?", "input": {"question": "@@c1", "options": ["dry", "wet"]}, "output": {"answer": "A"}}]
    write_task(tmp_path / "bench", CHOICES, {"task": "Causal-Reasoning", "type": "MultipleChoiceQA"}, items)
    run = AnsweredRun(tmp_path / "data", Replies(lambda question: "A"), tmp_path / "bench", repeats=3)
    try:
        page = run.page(AnswerPlace(run.run, CHOICES, "a/b?", repeat=1).answer_address())
        assert "<h1><bdi>a/b?</bdi>, repeat 1</h1>" in page
        others = [address.replace("&amp;", "&") for address in re.findall(r'<li><a href="([^"]+)">variant 0, repeat', page)]
        assert others == [AnswerPlace(run.run, CHOICES, "a/b?", repeat=repeat).answer_address() for repeat in (0, 2)]
        assert "<b>this one</b>: answered, score 100.00" in page
        assert ids_in(run.page("answers")) == ["a/b?"] * 3
    finally:
        run.close()
