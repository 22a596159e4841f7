"""Example answers for metrics of boxes. See test_metric_states.py for the fields of a row."""

from hypothesis import strategies as st

from scorer.metrics import Question
from scorer.parsers import Box, Structured

one_box = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4))
boxes = st.tuples(st.lists(one_box, max_size=3), st.lists(one_box, min_size=1, max_size=3), st.sampled_from([None, 0.3, 0.7])).map(
    lambda case: (
        tuple(Box(*map(float, box), label="a", confidence=case[2]) for box in case[0]),
        Question("boxes", [{"label": "a", "box": list(box)} for box in case[1]]),
    )
)

confidence = st.sampled_from([{}, {"score": 0.3}, {"score": 0.7}])
point = st.tuples(st.integers(0, 9), st.integers(0, 9), st.just(2))
person = st.tuples(point, point, st.integers(0, 9)).map(
    # All points can be seen: who is half hidden may be found in the place of another, as people are found one after the other.
    lambda case: {"label": "person", "points": [list(case[0]), list(case[1]), [case[2], 3, 2]], "area": 40.0}
)
persons = st.tuples(
    st.lists(st.tuples(person, confidence).map(lambda pair: pair[0] | pair[1]), max_size=3), st.lists(person, min_size=1, max_size=3)
).map(lambda pair: (Structured(pair[0]), Question("keypoints", pair[1])))
solid = st.tuples(st.sampled_from(["car", "bus"]), st.integers(0, 5), st.integers(0, 3), st.sampled_from([0.0, 0.3, 2.0])).map(
    lambda case: {"label": case[0], "box": [case[1], case[2], 0.0, 4.0, 2.0, 1.5, case[3]]}
)
solids = st.tuples(
    st.lists(st.tuples(solid, confidence).map(lambda pair: pair[0] | pair[1]), max_size=4), st.lists(solid, min_size=1, max_size=3)
).map(lambda pair: (Structured(pair[0]), Question("boxes_3d", pair[1])))
cells = st.lists(st.integers(0, 11), min_size=1, max_size=8).map(lambda points: {"label": "chair", "mask": {"points": sorted(set(points))}})
clouds = st.tuples(
    st.lists(st.tuples(cells, confidence).map(lambda pair: pair[0] | pair[1]), max_size=3), st.lists(cells, min_size=1, max_size=3)
).map(lambda pair: (Structured(pair[0]), Question("masks", pair[1])))

EXAMPLES = [
    {"metric": "ap_at_iou", "pairs": boxes},
    {"metric": "ap_at_iou", "parameters": {"iou": "0.75"}, "pairs": boxes},
    {"metric": "average_precision", "parameters": {"of": "boxes"}, "pairs": boxes},
    {"metric": "map", "parameters": {"of": "boxes"}, "pairs": boxes},
    {"metric": "map", "parameters": {"of": "masks", "iou": "0.5"}, "pairs": clouds},
    {"metric": "map", "parameters": {"of": "boxes_3d"}, "pairs": solids},
    {"metric": "map", "parameters": {"of": "boxes_3d", "match": "centre_distance"}, "pairs": solids},
    {"metric": "ap_at_iou", "parameters": {"of": "masks", "iou": "0.5"}, "pairs": clouds},
    {"metric": "ap_at_iou", "parameters": {"of": "keypoints", "iou": "0.5"}, "pairs": persons},
]
