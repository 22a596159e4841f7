"""How far the sound of spoken words is from that of given ones."""

from __future__ import annotations

import functools
import math

from scorer.media import Undecodable
from scorer.media.audio import read_audio
from scorer.metrics.averages import AverageMetric
from scorer.metrics.base import Floats, Question
from scorer.metrics.signals.files import answer_files, label_files, of_answer, of_label
from scorer.metrics.signals.world import spectral_envelope
from scorer.parsers import Parsed

RATE = 22050
ORDER = 13
_TRANSFORM = 512
_WARPING = 0.65
_FLOOR = 1e-8
_MOST_SECONDS = 180
_DECIBELS = 10.0 / math.log(10.0) * math.sqrt(2.0)


class MelCepstralDistortion(AverageMetric):
    """Mel-cepstral distortion of speech, in dB, frame by frame without alignment; lower is better, from 0.

    MCD = mean over instances of the mean over frames of 10 / ln 10 * sqrt(2 * sum over d of (c_d - c'_d)^2), with mel-cepstral coefficients
    d = 0..13 of a frame each 5 ms; the 0th, loudness, is among them, as in pymcd's mode "plain", which this equals. Sound is
    brought to 22,050 Hz and one channel; the shorter of the two is filled up with silence. Coefficients: WORLD's spectral envelope
    (DIO, StoneMask, CheapTrick, 512 points), its squares' logarithm (floor 1e-8) as cepstrum, warped by .65. Speech of more than 180 s is
    not measured. A refused or unparsable answer counts as silence. Standard error: of a mean.
    Source: Kubichek 1993; Morise et al. 2016 (WORLD); Tokuda et al. 1994 (mel-cepstral analysis).

    >>> import numpy as np
    >>> tone = 0.3 * np.sin(np.arange(4410) * 2 * np.pi * 220 / RATE)
    >>> distortion(tone, tone), round(distortion(tone, np.zeros(0)), 4)
    (0.0, 33.9607)
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        path = answer_files(answer, question)[0]
        with of_answer():
            given = _speech(path)
        return [distortion(given, self._label(question))]

    def worst(self, question: Question) -> list[float]:
        """Silence."""
        import numpy as np

        return [distortion(np.zeros(1), self._label(question))]

    def _label(self, question: Question) -> Floats:
        with of_label():
            return _speech(label_files(question)[0])


def distortion(given: Floats, wanted: Floats) -> float:
    """dB between two sounds of one channel at RATE."""
    import numpy as np

    length = max(len(given), len(wanted))
    one, other = (mel_cepstra(spectral_envelope(np.pad(sound, (0, length - len(sound))), RATE, _TRANSFORM)) for sound in (given, wanted))
    return _DECIBELS * float(np.sqrt(((one - other) ** 2).sum(axis=1)).mean())


def mel_cepstra(envelope: Floats) -> Floats:
    """(frames, ORDER + 1) of spectra (frames, bins): the cepstrum of their squares' logarithm, its frequency axis warped."""
    import numpy as np

    cepstrum = np.fft.irfft(np.log(envelope * envelope + _FLOOR), axis=1)[:, : envelope.shape[1]]
    cepstrum[:, [0, -1]] /= 2.0
    found: Floats = cepstrum @ _warping(envelope.shape[1]).T
    return found


@functools.cache
def _warping(length: int) -> Floats:
    """(ORDER + 1, length): what Oppenheim's recursion (1972) makes of each cepstral coefficient."""
    import numpy as np

    found = np.zeros((ORDER + 1, length))
    unit = np.eye(length)
    for index in range(length - 1, -1, -1):
        before = found.copy()
        found[0] = unit[index] + _WARPING * before[0]
        found[1] = (1.0 - _WARPING**2) * before[0] + _WARPING * before[1]
        for order in range(2, ORDER + 1):
            found[order] = before[order - 1] + _WARPING * (before[order] - found[order - 1])
    return found


def _speech(path: str) -> Floats:
    sound, _rate = read_audio(path, RATE)
    if len(sound) > _MOST_SECONDS * RATE:
        raise Undecodable(f"{path}: lasts {len(sound) / RATE:.0f} s; of speech at most {_MOST_SECONDS} s are compared")
    return sound
