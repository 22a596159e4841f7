"""Tracking of many objects in space: AMOTA, which averages accuracy over how many objects a tracker dares to report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import Floats, JsonRow, NotComparable, Question
from scorer.metrics.entries import Entry, entries_of
from scorer.metrics.faults import of_answer, of_label, score_of
from scorer.metrics.pooled import SetMetric
from scorer.metrics.regions.precision import folded, joined_unnamed
from scorer.parsers import Parsed, Structured

MATCH_DISTANCE = 2.0
"""Metres between centres on the ground below which an answer's box can be a label's."""
RECALLS = 40
LEAST_RECALL = 0.1

Scenes = dict[str, JsonRow]
"""{class: [boxes of the label, [[score, matches], ...], [[score, matches, false positives], ...]]}: how many boxes of the tracks of each
score match if all tracks count; and what comes of the scene if only tracks of this score or more do."""
Frames = dict[int, dict[str, tuple[float, float]]]
"""By frame and identity: the centre on the ground."""


class TrackingAccuracy(SetMetric[Scenes]):
    """AMOTA of nuScenes: 100 * mean over classes, and over 40 recalls from .1 to 1, of MOTAR.

    MOTAR = max(0, 1 - (IDS + FP + FN - (1 - r) P) / (r P)) with P: boxes of the label; r: the recall that is reached, matches / P. At a
    recall that the tracker does not reach it is 0. At each recall, tracks count if their mean score is at least the one at which so
    many boxes match. Within a class, frame by frame, an answer's box keeps the object that its identity had, if their centres are less
    than 2 m apart on the ground; what is left is assigned so that distances are least. An object that is matched by another identity
    than before is a switch (IDS), not a match. Tracks without a score have 1.
    Statistic: see ``Scenes``. Source: Caesar et al. 2020; nuScenes tracking evaluation (tracking_nips_2019), Weng and Kitani 2019.

    >>> metric = TrackingAccuracy()
    >>> label = [{"frame": frame, "id": "a", "label": "car", "box": [frame, 0, 0, 4, 2, 2, 0]} for frame in range(2)]
    >>> stray = {"frame": 0, "id": "z", "label": "car", "box": [50, 0, 0, 4, 2, 2, 0]}
    >>> row = metric.statistic(Structured([*label, stray]), Question("tracks", label))
    >>> row, metric.compute([("a", row)]).score
    ({'car': [2, [[1.0, 2]], [[1.0, 2, 1]]]}, 50.0)
    """

    def __init__(self) -> None:
        super().__init__("amota")

    def statistic(self, answer: Parsed, question: Question) -> Scenes:
        if question.answer_type != AnswerType.TRACKS or not isinstance(answer, Structured):
            raise NotComparable(f"answers of type '{question.answer_type}' are not tracks in space")
        with of_label("a list of tracks: frame, id and box [x, y, z, dx, dy, dz, yaw]"):
            labels = entries_of(question.label)
            wanted = _by_class(labels, [folded(entry.get("label", "")) for entry in labels])
        with of_answer("a list of tracks: frame, id and box [x, y, z, dx, dy, dz, yaw]"):
            answers = entries_of(answer.value)
            names = joined_unnamed([folded(entry.get("label", "")) for entry in answers], list(wanted))
            given, scores = _by_class(answers, names), _scores(answers, names)
        return {name: scene(wanted.get(name, {}), given.get(name, {}), scores.get(name, {})) for name in sorted({*wanted, *given})}

    def worst(self, question: Question) -> Scenes:
        """No track found."""
        return self.statistic(Structured([]), question)

    def weighted(self, statistics: Sequence[tuple[str, Scenes]]) -> Callable[[Floats], float]:
        import numpy as np

        classes = sorted({name for _id, row in statistics for name, (boxes, *_steps) in row.items() if boxes})
        curves = [_Curve([row.get(name, [0, [], []]) for _id, row in statistics]) for name in classes]

        def score(weights: Floats) -> float:
            found = [value for curve in curves if (value := curve.accuracy(np.asarray(weights, dtype=float))) is not None]
            return math.fsum(found) / len(found) if found else 0.0

        return score


def scene(wanted: Frames, given: Frames, scores: dict[str, float]) -> JsonRow:
    """The statistic of one class in one scene. scores: of each track, by identity."""
    boxes = sum(len(objects) for objects in wanted.values())
    all_matches, _false = follow(wanted, given)
    matched: dict[float, int] = {}
    for identity in all_matches:
        matched[scores[identity]] = matched.get(scores[identity], 0) + 1
    steps = []
    for least in sorted(set(scores.values()), reverse=True):
        kept = {frame: {key: at for key, at in tracks.items() if scores[key] >= least} for frame, tracks in given.items()}
        matches, false = follow(wanted, kept)
        steps.append([least, len(matches), false])
    return [boxes, [[score, matched[score]] for score in sorted(matched, reverse=True)], steps]


def follow(wanted: Frames, given: Frames) -> tuple[list[str], int]:
    """The identity of each match that is not a switch; and how many of the answer's boxes are false positives.

    Source: CLEAR MOT (Bernardin and Stiefelhagen 2008).
    """
    known: dict[str, str] = {}
    matches: list[str] = []
    false = 0
    for frame in sorted(wanted.keys() | given.keys()):
        objects, tracks = dict(wanted.get(frame, {})), dict(given.get(frame, {}))
        for key in [key for key in objects if known.get(key) in tracks]:
            identity = known[key]
            # Two objects may have had one identity, one after the other.
            if identity in tracks and math.dist(objects[key], tracks[identity]) < MATCH_DISTANCE:
                matches.append(identity)
                del objects[key], tracks[identity]
        for key, identity in _assigned(objects, tracks):
            if known.get(key, identity) == identity:
                matches.append(identity)
            known[key] = identity
            del tracks[identity]
        false += len(tracks)
    return matches, false


class _Curve:
    """One class over all scenes."""

    def __init__(self, rows: Sequence[JsonRow]) -> None:
        import numpy as np

        self._boxes = np.array([row[0] for row in rows], dtype=float)
        matched = [(score, owner, count) for owner, row in enumerate(rows) for score, count in row[1]]
        matched.sort(key=lambda entry: -entry[0])
        self._scores = np.array([score for score, _owner, _count in matched], dtype=float)
        self._owners = np.array([owner for _score, owner, _count in matched], dtype=np.intp)
        self._counts = np.array([count for _score, _owner, count in matched], dtype=float)
        # What changes in a scene when tracks of the next lower score count as well.
        changes = []
        for owner, row in enumerate(rows):
            before = (0, 0)
            for score, matches, false in row[2]:
                changes.append((score, owner, matches - before[0], false - before[1]))
                before = (matches, false)
        changes.sort(key=lambda entry: -entry[0])
        self._levels = -np.array([entry[0] for entry in changes], dtype=float)
        self._changed = np.array([entry[1] for entry in changes], dtype=np.intp)
        self._gains = np.array([entry[2:] for entry in changes], dtype=float).reshape(-1, 2)

    def accuracy(self, weights: Floats) -> float | None:
        """AMOTA 0..1 of the class; None if no label that counts has it."""
        import numpy as np

        boxes = float(weights @ self._boxes)
        if boxes <= 0.0:
            return None
        counts = weights[self._owners] * self._counts
        there = counts > 0.0
        reached = np.cumsum(counts[there])
        if not len(reached):
            return 0.0
        # The recall after each matched box; those of one score in a row are a level piece.
        points = np.column_stack([reached - counts[there] + 1.0, reached]).reshape(-1) / boxes
        recalls = np.linspace(LEAST_RECALL, 1.0, RECALLS).round(12)
        thresholds = np.interp(recalls, points, np.repeat(self._scores[there], 2), right=0.0)[recalls <= points[-1]]
        totals = np.concatenate([np.zeros((1, 2)), np.cumsum(weights[self._changed][:, None] * self._gains, axis=0)])
        matches, false = totals[np.searchsorted(self._levels, -thresholds, side="right")].T
        # IDS + FN is P - matches, which is (1 - r) P: so false positives remain.
        accuracy = np.maximum(0.0, 1.0 - np.divide(false, matches, out=np.ones_like(false), where=matches > 0.0))
        return float(accuracy.sum()) / RECALLS


def _assigned(objects: dict[str, tuple[float, float]], tracks: dict[str, tuple[float, float]]) -> list[tuple[str, str]]:
    """(object, identity) pairs: as many as lie near enough, chosen so that the sum of their distances is least."""
    keys, identities = list(objects), list(tracks)
    near = [
        (row, column, distance)
        for row, key in enumerate(keys)
        for column, identity in enumerate(identities)
        if (distance := math.dist(objects[key], tracks[identity])) < MATCH_DISTANCE
    ]
    if len(near) < 2:
        return [(keys[row], identities[column]) for row, column, _distance in near]
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    costs = np.full((len(keys), len(identities)), 2.0 * MATCH_DISTANCE * (len(keys) + 1))
    for row, column, distance in near:
        costs[row, column] = distance
    rows, columns = linear_sum_assignment(costs)
    return [
        (keys[row], identities[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if costs[row, column] < MATCH_DISTANCE
    ]


def _by_class(entries: Sequence[Entry], names: Sequence[str]) -> dict[str, Frames]:
    found: dict[str, Frames] = {}
    for entry, name in zip(entries, names, strict=True):
        x, y = float(entry["box"][0]), float(entry["box"][1])
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError("a centre is not finite")
        found.setdefault(name, {}).setdefault(int(entry["frame"]), {}).setdefault(str(entry["id"]), (x, y))
    return found


def _scores(entries: Sequence[Entry], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """The mean score of each track, by class and identity."""
    found: dict[str, dict[str, list[float]]] = {}
    for entry, name in zip(entries, names, strict=True):
        found.setdefault(name, {}).setdefault(str(entry["id"]), []).append(score_of(entry))
    return {name: {key: math.fsum(scores) / len(scores) for key, scores in tracks.items()} for name, tracks in found.items()}
