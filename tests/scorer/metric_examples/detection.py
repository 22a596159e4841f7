"""Example answers for metrics of boxes. See test_scorer_metric_states.py for the fields of a row."""

from hypothesis import strategies as st

from scorer.metrics import Question
from scorer.parsers import Box

one_box = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4))
boxes = st.tuples(st.lists(one_box, max_size=3), st.lists(one_box, min_size=1, max_size=3), st.sampled_from([None, 0.3, 0.7])).map(
    lambda case: (
        tuple(Box(*map(float, box), label="a", confidence=case[2]) for box in case[0]),
        Question("boxes", [{"label": "a", "box": list(box)} for box in case[1]]),
    )
)

EXAMPLES = [
    {"metric": "ap_at_iou", "pairs": boxes},
    {"metric": "ap_at_iou", "parameters": {"iou": "0.75"}, "pairs": boxes},
    {"metric": "average_precision", "parameters": {"of": "boxes"}, "pairs": boxes},
    {"metric": "map", "parameters": {"of": "boxes"}, "pairs": boxes},
]
