"""Which runs a list has, and its pages: laws over any runs and any request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.journal.listing import ListedRun
from evaluator.journal.wishes import Wanted
from evaluator.runs.filtering import Filter, place_of
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

WORDS = st.sampled_from(["", "a", "Ab", "STRASSE", "straße", "x/y", "keep"])
RUNS = st.lists(
    st.builds(
        ListedRun,
        run_id=st.text("0123456789abcdef", min_size=1, max_size=6),
        created=st.sampled_from([1.0, 2.0, 2.5]),
        model=WORDS,
        suite=WORDS,
        status=st.just(2),
        wanted=st.just(Wanted.NOTHING),
        name=WORDS,
        tags=st.lists(st.sampled_from(["a", "b", "keep"]), unique=True).map(tuple),
        notes=WORDS,
        suite_word=WORDS,
    ),
    unique_by=lambda run: run.run_id,
    max_size=12,
).map(lambda runs: sorted(runs, key=lambda run: (run.created, run.run_id), reverse=True))


@given(RUNS, st.integers(1, 5))
def test_pages_joined_are_the_list_each_run_once(runs, limit):
    found, after = [], ""
    while True:
        page, after = Filter.of(ev.ListRunsRequest(after=after)).page(runs, limit)
        found += page
        assert len(page) <= limit
        if not after:
            break
    assert found == runs


@given(RUNS, st.integers(1, 5), RUNS)
def test_a_page_goes_on_where_the_last_one_ended_though_runs_were_added_before_it(runs, limit, others):
    page, after = Filter.of(ev.ListRunsRequest()).page(runs, limit)
    newer = [run._replace(created=9.0, run_id=f"{run.run_id}-9") for run in others]
    following, _ = Filter.of(ev.ListRunsRequest(after=after)).page([*newer, *runs], 0)
    if after:
        assert [*page, *following] == runs


@given(RUNS, WORDS, WORDS, st.lists(st.sampled_from(["a", "b", "keep"]), max_size=2), WORDS)
def test_each_run_that_is_let_through_has_all_that_was_asked_for(runs, model, suite, tags, text):
    wanted = Filter.of(ev.ListRunsRequest(model=model, suite=suite, tags=tags, text=text))

    def is_meant(run):
        said = " ".join((run.run_id, run.name, run.notes, *run.tags, run.model, run.suite, run.suite_word)).casefold()
        return (
            (not model or run.model.casefold() == model.casefold())
            and (not suite or suite.casefold() in (run.suite.casefold(), run.suite_word.casefold()))
            and set(tags) <= set(run.tags)
            and text.casefold() in said
        )

    assert [wanted.lets_through(run) for run in runs] == [is_meant(run) for run in runs]


def test_globs_mean_models_and_suites_in_any_case():
    run = ListedRun("1", 1.0, "openai/GPT-9", "mine", 2, Wanted.NOTHING, "", (), "", "/data/General_Bench")
    asked = ({"model": "OPENAI/*"}, {"suite": "*general*"}, {"suite": "mine"}, {"model": "groq/*,openai/*"}, {"model": "gpt*"})
    assert [Filter.of(ev.ListRunsRequest(**one)).lets_through(run) for one in asked] == [True, True, True, True, False]


@pytest.mark.parametrize("after", ["x", "AAAA", "!!!!", "f/8", "€", "f_gAAAAAAAAx"])
def test_a_place_that_no_page_told_is_refused_in_one_line(after):
    with pytest.raises(UsageError, match=r"^after is no place in a list of runs"):
        place_of(after)
