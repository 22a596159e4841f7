"""Plans: which instances, and when two commands are the same run."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from evaluator.planning.identity import Specification, run_id, sample_positions

SPECIFICATION = Specification(
    model="m", provider="openai", provider_model="m-1", base_url="", suite="starter", limit=10, seed=0, parameters=(), prompt_version="1"
)
CONTENT = [("nlp/A", "1" * 64), ("nlp/B", "2" * 64)]


@given(st.text(max_size=20), st.integers(0, 500), st.integers(0, 50), st.integers(0, 9))
def test_a_sample_is_sorted_distinct_and_repeatable(key, count, limit, seed):
    positions = sample_positions(key, count, limit, seed)
    assert positions == sample_positions(key, count, limit, seed)
    if limit == 0 or limit >= count:
        assert positions is None
    else:
        assert len(positions) == limit == len(set(positions))
        assert list(positions) == sorted(positions)
        assert all(0 <= position < count for position in positions)


def test_different_seeds_and_tasks_draw_different_samples():
    assert sample_positions("a", 1000, 20, 0) != sample_positions("a", 1000, 20, 1)
    assert sample_positions("a", 1000, 20, 0) != sample_positions("b", 1000, 20, 0)


def test_the_same_specification_is_the_same_run_whatever_the_order_of_tasks():
    assert run_id(SPECIFICATION, CONTENT) == run_id(SPECIFICATION, list(reversed(CONTENT)))


def test_whatever_changes_the_answers_changes_the_run():
    runs = {
        run_id(replace(SPECIFICATION, **change), CONTENT)
        for change in (
            {},
            {"model": "n"},
            {"provider_model": "m-2"},
            {"base_url": "http://127.0.0.1:1/v1"},
            {"limit": 11},
            {"seed": 1},
            {"parameters": (("temperature", "0.5"),)},
            {"prompt_version": "2"},
            {"suite": "other"},
            {"structured_output": True},
            {"route": "0123456789abcdef"},
            {"chosen": "1" * 64},
            {"chosen": "2" * 64},
            {"occasion": "hourly#1"},
            {"occasion": "hourly#2"},
            {"droppable": ("seed",)},
        )
    }
    runs.add(run_id(SPECIFICATION, CONTENT[:1]))
    runs.add(run_id(SPECIFICATION, [("nlp/A", "3" * 64), CONTENT[1]]))
    assert len(runs) == 18


def test_a_run_on_a_plain_route_keeps_the_id_it_always_had():
    assert run_id(SPECIFICATION, CONTENT) == "fd3b9bdb01ca"


def test_a_run_with_all_that_there_was_before_instances_could_be_chosen_keeps_its_id():
    with_all = replace(
        SPECIFICATION,
        structured_output=True,
        api="images",
        video_frames=8,
        route="0123456789abcdef",
        repeats=5,
        parameters=(("top_p", "1"),),
    )
    assert run_id(with_all, CONTENT) == "9d814e87ae93"


def test_the_seed_does_not_matter_where_nothing_is_sampled():
    whole = replace(SPECIFICATION, limit=0)
    assert run_id(whole, CONTENT) == run_id(replace(whole, seed=5), CONTENT)
