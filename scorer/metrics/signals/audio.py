"""Likeness of speech, and qualities of music."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from scorer.media import midi
from scorer.metrics.base import AnyMetric, Factories, Factory, MeanMetric, NotComparable, Question, UnreadableAnswer
from scorer.metrics.signals.files import answer_files, label_files, of_answer, of_label
from scorer.metrics.signals.speech import MelCepstralDistortion
from scorer.parsers import Parsed

BAR_BEATS = 4.0
"""Quarter notes in a bar: 4/4."""
GRID = 12
"""Steps of a quarter note to which onsets are rounded: holds sixteenths and triplets."""


class PitchClassConsistency(MeanMetric):
    """Pitch-class consistency of generated music, in %: how alike the pitches of neighbouring bars are; higher is better.

    100 * mean over pieces of the mean over pairs of consecutive bars of the cosine of their pitch-class histograms. A histogram has the 12
    pitch classes, weighted by how long notes sound in the bar (at least one step of a sixteenth triplet); drums are left out. Bars are
    four quarter notes long. Two silent bars make no pair; a silent bar beside another makes 0. A piece of one bar has 0; refused
    and unparsable answers have 0. No label is needed.
    Inferred: General-Level (arXiv 2505.04620) names the metric of its specialist, Theme Transformer (Shih et al. 2022), without a formula;
    histograms of bars are those of Wu and Yang 2020 (Jazz Transformer), section 5.

    >>> from scorer.media.midi import Note
    >>> def note(pitch, start, end): return Note(start / 2, end / 2, pitch, 80, 0, False, start, end)
    >>> round(consistency([note(60, 0, 4), note(72, 4, 6), note(67, 6, 8)]), 6)
    0.707107
    """

    needs_label = False

    def statistic(self, answer: Parsed, question: Question) -> float:
        with of_answer():
            notes = midi.read_notes(_one(answer_files(answer, question)))
        if not notes:
            raise UnreadableAnswer("the piece has no note")
        return consistency(notes)

    def best(self, question: Question) -> float:
        return 1.0


class EventAccuracy(MeanMetric):
    """Event-level accuracy of generated music against a given piece, in %; higher is better.

    100 * mean over pieces of the mean over events of TP / (TP + FP + FN). An event is a time at which a note begins in either piece, to a
    twelfth of a quarter note; a note is its pitch and the family of its instrument (General MIDI's 16 groups of 8; drums are one more).
    TP are the notes that begin there in both pieces, FP in the answer only, FN in the label only. Refused and unparsable answers have 0.
    Inferred: General-Level (arXiv 2505.04620) gives no formula; the accuracy of an event is that of Crestel and Esling 2017 (Live
    Orchestral Piano), whose model is the specialist, after Bay et al. 2009.

    >>> from scorer.media.midi import Note
    >>> def note(pitch, beat, program=40): return Note(beat / 2, beat / 2 + 1, pitch, 80, program, False, beat, beat + 1)
    >>> event_accuracy([note(60, 0), note(64, 0), note(67, 1)], [note(60, 0), note(65, 0), note(67, 1, 41), note(70, 2)])
    0.4444444444444444
    """

    def statistic(self, answer: Parsed, question: Question) -> float:
        with of_answer():
            given = midi.read_notes(_one(answer_files(answer, question)))
        return event_accuracy(given, self._label(question))

    def worst(self, question: Question) -> float:
        self._label(question)
        return 0.0

    def best(self, question: Question) -> float:
        return 1.0

    def _label(self, question: Question) -> list[midi.Note]:
        with of_label():
            wanted = midi.read_notes(_one(label_files(question)))
        if not wanted:
            raise NotComparable("the label has no note")
        return wanted


def consistency(notes: Sequence[midi.Note]) -> float:
    """0..1, as ``PitchClassConsistency`` says."""
    import numpy as np

    pitched = [note for note in notes if not note.drum]
    if not pitched:
        return 0.0
    starts = np.array([note.start_beat for note in pitched]) / BAR_BEATS
    ends = np.array([max(note.end_beat, note.start_beat + 1.0 / GRID) for note in pitched]) / BAR_BEATS
    classes = np.array([note.pitch % 12 for note in pitched])
    # A note fills bars like a ramp: how long it has sounded until each bar's end is the difference of two sums of ramps.
    sounding = np.zeros((int(ends.max()) + 2, 12))
    for sign, times in ((1.0, starts), (-1.0, ends)):
        bars = times.astype(int)
        np.add.at(sounding, (bars, classes), sign * (1.0 - (times - bars)))
        np.add.at(sounding, (bars + 1, classes), sign * (times - bars))
    histograms = np.maximum(np.cumsum(sounding, axis=0), 0.0)
    histograms[histograms < 1e-9] = 0.0
    lengths = np.linalg.norm(histograms, axis=1)
    played = np.flatnonzero(lengths)
    first, last = int(played[0]), int(played[-1])
    one, other = lengths[first:last], lengths[first + 1 : last + 1]
    products = (histograms[first:last] * histograms[first + 1 : last + 1]).sum(axis=1)
    counted = (one > 0.0) | (other > 0.0)
    if not counted.any():
        return 0.0
    cosines = np.divide(products, one * other, out=np.zeros_like(products), where=(one > 0.0) & (other > 0.0))
    return float(np.minimum(cosines, 1.0)[counted].mean())


def event_accuracy(given: Sequence[midi.Note], wanted: Sequence[midi.Note]) -> float:
    """0..1, as ``EventAccuracy`` says; at least one of them has a note."""
    events: dict[int, tuple[set[tuple[int, int]], set[tuple[int, int]]]] = defaultdict(lambda: (set(), set()))
    for side, notes in enumerate((given, wanted)):
        for note in notes:
            events[round(note.start_beat * GRID)][side].add((note.pitch, 16 if note.drum else note.program // 8))
    return math.fsum(len(found & right) / len(found | right) for found, right in events.values()) / len(events)


def _one(paths: list[str]) -> str:
    return next((path for path in paths if path.lower().endswith((".mid", ".midi"))), paths[0])


def _plain(kind: Callable[[str], AnyMetric], metric_id: str) -> Factory:
    return lambda parameters, variant: kind(metric_id) if not parameters and variant == "default" else None


FACTORIES: Factories = {
    "mcd": _plain(MelCepstralDistortion, "mcd"),
    "pcc": _plain(PitchClassConsistency, "pcc"),
    "event_accuracy": _plain(EventAccuracy, "event_accuracy"),
}
