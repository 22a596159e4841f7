"""Example ratings. See test_metric_states.py for the fields of a row."""

from hypothesis import strategies as st

from scorer.metrics import Question


def rated(ratings: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[str, Question]]:
    """Answers of one rater or several."""
    return st.lists(ratings, min_size=1, max_size=4).map(lambda given: ("an answer", Question("long_text", None, ratings=tuple(given))))


EXAMPLES = [
    {"metric": "mos", "pairs": rated(st.floats(1, 5)), "worst": 1.0},
    {"metric": "user_preference", "pairs": rated(st.sampled_from([0.0, 0.5, 1.0]))},
    {"metric": "gpt_score", "pairs": rated(st.integers(0, 10).map(lambda rating: 10.0 * rating))},
]
