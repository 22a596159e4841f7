"""Example answers for metrics of tracks, tubes, poses and relations. See test_metric_states.py for the fields of a row."""

from hypothesis import strategies as st

from scorer.metrics import Question
from scorer.parsers import Structured

sides = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4)).map(list)
frames = st.lists(st.one_of(st.none(), sides), min_size=1, max_size=5)
tracks = st.tuples(frames, frames.filter(any)).map(lambda pair: (Structured(pair[0]), Question("track", pair[1])))
tube = st.dictionaries(st.integers(0, 4).map(str), sides, min_size=1, max_size=4).map(lambda boxes: {"label": "", "boxes": boxes})
tubes = st.tuples(st.lists(tube, max_size=2), st.lists(tube, min_size=1, max_size=2)).map(
    lambda pair: (Structured(pair[0]), Question("tubes", pair[1]))
)


def walk(steps):
    x, poses = 0.0, []
    for step in steps:
        x += step
        poses.append([1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, 2 * x])
    return poses


steps = st.lists(st.floats(0.5, 20.0), min_size=2, max_size=30).map(walk)
ways = st.tuples(steps, steps).map(lambda pair: (Structured(pair[0]), Question("poses", pair[1])))


def moving(objects):
    """Objects that stay further apart than a match reaches."""
    return [
        {"frame": frame, "id": f"{number}", "label": name, "box": [10.0 * number + shift, float(frame), 0, 4, 2, 2, 0]}
        for number, (name, shift, length) in enumerate(objects)
        for frame in range(length)
    ]


objects = st.tuples(st.sampled_from(["car", "bus"]), st.sampled_from([0.0, 0.5, 1.5, 3.0]), st.integers(1, 4))
scenes = st.tuples(st.lists(objects, max_size=3), st.lists(objects, min_size=1, max_size=3), st.sampled_from([None, 0.2, 0.9])).map(
    lambda case: (
        Structured([entry | ({} if case[2] is None else {"score": case[2]}) for entry in moving(case[0])]),
        Question("tracks", moving(case[1])),
    )
)
relation = st.fixed_dictionaries(
    {"subject": st.sampled_from(["man", "Dog"]), "predicate": st.sampled_from(["near", "on"]), "object": st.sampled_from(["man", "dog"])},
    optional={"subject_box": sides, "object_box": sides},
)
graphs = st.tuples(st.lists(relation, max_size=4), st.lists(relation, min_size=1, max_size=4)).map(
    lambda pair: (Structured(pair[0]), Question("relations", pair[1]))
)

EXAMPLES = [
    {
        "metric": "auc",
        "parameters": {"of": "success_plot"},
        "pairs": tracks,
        "best": 2000 / 21,
    },  # above each threshold, the last of which is 1
    {"metric": "m_viou", "pairs": tubes},
    {"metric": "rte", "pairs": ways},
    {"metric": "amota", "pairs": scenes},
    {"metric": "recall_at_k", "parameters": {"k": "50"}, "pairs": graphs},
]
