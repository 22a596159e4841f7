"""Example answers for metrics of masks. See test_metric_states.py for the fields of a row."""

from hypothesis import strategies as st

from scorer.metrics import Question
from scorer.parsers import Box, Structured

bits = st.lists(st.booleans(), min_size=36, max_size=36)


def runs(marked):
    """COCO's run lengths of a map of 6 x 6 that is given column by column."""
    counts, value = [0], False
    for bit in marked:
        if bit == value:
            counts[-1] += 1
        else:
            counts.append(1)
            value = bit
    return {"size": [6, 6], "counts": counts}


def masks(least):
    mask = st.one_of(
        bits.filter(any).map(runs),
        st.lists(st.integers(0, 6), min_size=6, max_size=6).map(lambda flat: {"polygons": [flat]}),
    )
    entry = st.tuples(st.sampled_from(["car", "Road", ""]), mask, st.sampled_from([None, 0.3, 0.9])).map(
        lambda parts: {"label": parts[0], "mask": parts[1]} | ({} if parts[2] is None else {"score": parts[2]})
    )
    return st.lists(entry, min_size=least, max_size=3)


# Labels with run lengths, so that none is empty, and of one class each: what belongs to two could not be answered right for PQ.
labels = st.tuples(st.sampled_from(["car", "Road"]), bits.filter(any)).map(lambda pair: [{"label": pair[0], "mask": runs(pair[1])}])
pictures = st.tuples(masks(0), labels).map(lambda pair: (Structured(pair[0]), Question("masks", pair[1])))
video = st.lists(st.one_of(st.none(), bits.map(runs)), min_size=1, max_size=3).filter(
    lambda frames: any(frame and len(frame["counts"]) > 1 for frame in frames)
)
videos = st.tuples(video, video).map(
    lambda pair: (Structured([{"label": "", "mask": pair[0]}]), Question("masks", [{"label": "the red car", "mask": pair[1]}]))
)
part = st.lists(st.integers(0, 3), min_size=8, max_size=8)
shapes = st.tuples(part, part, st.sampled_from(["", "chair", "lamp"])).map(
    lambda case: (
        Structured([{"label": f"part {name}", "mask": {"points": points}} for name, points in by_part(case[0])]),
        Question(
            "masks",
            [{"label": f"part {name}", "mask": {"points": points}} for name, points in by_part(case[1])],
            details={"category": case[2]},
        ),
    )
)


def by_part(numbers):
    return [(name, [index for index, number in enumerate(numbers) if number == name]) for name in sorted(set(numbers))]


one_box = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4))
boxes = st.tuples(st.lists(one_box, max_size=3), st.lists(one_box, min_size=1, max_size=3)).map(
    lambda case: (tuple(Box(*map(float, box)) for box in case[0]), Question("boxes", [{"label": "a", "box": list(box)} for box in case[1]]))
)

EXAMPLES = [
    {"metric": "miou", "parameters": {"of": "masks"}, "pairs": st.one_of(pictures, videos)},
    {"metric": "miou", "parameters": {"of": "classes"}, "pairs": pictures},
    {"metric": "miou", "parameters": {"of": "classes", "void": "0 3"}, "pairs": pictures},
    {"metric": "dice", "pairs": st.one_of(pictures, boxes)},
    {"metric": "f1", "parameters": {"of": "pixels"}, "pairs": st.one_of(pictures, boxes)},
    {"metric": "instance_miou", "pairs": shapes},
    {"metric": "pq", "pairs": pictures},
    {"metric": "s_measure", "pairs": st.one_of(pictures, videos)},
]
