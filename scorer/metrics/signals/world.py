"""The spectral envelope of speech as the WORLD vocoder finds it: pitch by DIO and StoneMask, envelope by CheapTrick.

Sources: Morise, Kawahara and Katayose 2009 (DIO); Morise, Yokomori and Ozawa 2016 (WORLD, StoneMask); Morise 2015 (CheapTrick).
Constants are those of the reference implementation, so that values measured with it can be met.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scorer.media.arrays import Floats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


FRAME_SECONDS = 0.005
_FLOOR, _CEILING, _BANDS_IN_OCTAVE = 71.0, 800.0, 2.0
_ALLOWED_RANGE = 0.1
_NEVER = 100000.0
_SAFE = 1e-12
_UNVOICED = 500.0
_COMPENSATION = -0.15


def spectral_envelope(samples: Floats, rate: int, size: int) -> Floats:
    """Power (frames, size / 2 + 1) of each 5 ms. samples: one channel, -1..1. size: of the Fourier transform."""
    import numpy as np

    pitch = stone_mask(samples, rate, dio(samples, rate))
    lowest = 3.0 * rate / (size - 3.0)
    return np.stack(
        [
            _cheap_trick(samples, rate, size, hertz if hertz > lowest else _UNVOICED, frame * 5.0 / 1000.0)
            for frame, hertz in enumerate(pitch.tolist())
        ]
    )


def dio(samples: Floats, rate: int) -> Floats:
    """The fundamental frequency (frames,) in Hz at each 5 ms, 0 without a voice."""
    import numpy as np

    bands = 1 + int(math.log2(_CEILING / _FLOOR) * _BANDS_IN_OCTAVE)
    bounds = [_FLOOR * 2.0 ** ((band + 1) / _BANDS_IN_OCTAVE) for band in range(bands)]
    count = int(len(samples) / rate / FRAME_SECONDS + 1e-9) + 1
    times: Floats = np.arange(count, dtype=np.float64) * FRAME_SECONDS
    length = 1 + len(samples)
    cutoff = _rounded(rate / 50.0)
    size = 2 ** (int(math.log2(length + cutoff * 2 + 1 + 4 * int(1.0 + rate / bounds[0] / 2.0))) + 1)
    signal = np.append(samples, 0.0)
    spectrum = np.fft.rfft(signal - signal.mean(), size) * np.fft.rfft(_low_cut(cutoff * 2 + 1, size))
    found = [_candidates(_band(spectrum, size, length, rate / bound), rate, bound, times) for bound in bounds]
    candidates = np.stack([pitch for pitch, _score in found])
    scores = np.stack([score / (pitch + _SAFE) for pitch, score in found])
    best = candidates[np.argmin(scores, axis=0), np.arange(count)]
    return _smoothed(best, candidates)


def stone_mask(samples: Floats, rate: int, pitch: Floats) -> Floats:
    """The pitch (frames,), refined by the instantaneous frequency of its harmonics."""
    import numpy as np

    return np.array([_refined(samples, rate, frame * 5.0 / 1000.0, hertz) for frame, hertz in enumerate(pitch.tolist())])


def _low_cut(length: int, size: int) -> Floats:
    """A filter (size,) that takes away what is slower than its window, centred on 0."""
    import numpy as np

    window = 0.5 - 0.5 * np.cos(np.arange(1, length + 1) * 2.0 * np.pi / (length + 1))
    found = np.zeros(size)
    half = (length - 1) // 2
    window = -window / window.sum()
    found[: length - half] = window[half:]
    found[size - half :] = window[:half]
    found[0] += 1.0
    return found


def _band(spectrum: NDArray[np.complex128], size: int, length: int, period: float) -> Floats:
    """The signal (length,) without what is faster than ``period`` samples."""
    import numpy as np

    half = _rounded(period / 2.0)
    at = np.arange(half * 4) / (half * 4 - 1.0)
    nuttall = 0.355768 - 0.487396 * np.cos(2 * np.pi * at) + 0.144232 * np.cos(4 * np.pi * at) - 0.012604 * np.cos(6 * np.pi * at)
    found: Floats = np.fft.irfft(spectrum * np.fft.rfft(nuttall, size), size)[half * 2 : half * 2 + length]
    return found


def _candidates(filtered: Floats, rate: int, bound: float, times: Floats) -> tuple[Floats, Floats]:
    """Pitch and its unsureness (frames,) in one band, from four kinds of intervals of the filtered signal."""
    import numpy as np

    slope = filtered[1:] - filtered[:-1]
    pitches = []
    for wave in (filtered, -filtered, slope, -slope):
        crossings = _crossings(wave)
        if len(crossings) < 4:
            return np.zeros(len(times)), np.full(len(times), _NEVER)
        middles = (crossings[:-1] + crossings[1:]) / 2.0 / rate
        pitches.append(_interpolated(times, middles, rate / np.diff(crossings)))
    together = np.stack(pitches)
    mean = together.mean(axis=0)
    score = np.sqrt(((together - mean) ** 2).sum(axis=0) / 3.0)
    bad = (mean > bound) | (mean < bound / 2.0) | (mean > _CEILING) | (mean < _FLOOR)
    return np.where(bad, 0.0, mean), np.where(bad, _NEVER, score)


def _crossings(wave: Floats) -> Floats:
    """Where, in samples counted from 1, the wave goes from above 0 to 0 or below."""
    import numpy as np

    before = np.flatnonzero((wave[:-1] > 0.0) & (wave[1:] <= 0.0))
    found: Floats = (before + 1) - wave[before] / (wave[before + 1] - wave[before])
    return found


def _interpolated(at: Floats, x: Floats, y: Floats) -> Floats:
    """Linear, beyond the ends too."""
    import numpy as np

    index = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    found: Floats = y[index] + (y[index + 1] - y[index]) * (at - x[index]) / (x[index + 1] - x[index])
    return found


def _smoothed(best: Floats, candidates: Floats) -> Floats:
    """The contour without jumps and short stretches, drawn on to both sides as long as candidates go with it."""
    import numpy as np

    count = len(best)
    shortest = int(0.5 + 1.0 / FRAME_SECONDS / _FLOOR) * 2 + 1
    if count <= shortest:
        return np.zeros(count)
    base = best.copy()
    base[:shortest] = base[-shortest:] = 0.0
    steady = np.zeros(count)
    steady[shortest:] = np.where(
        np.abs((base[shortest:] - base[shortest - 1 : -1]) / (_SAFE + base[shortest:])) < _ALLOWED_RANGE, base[shortest:], 0.0
    )
    centre = (shortest - 1) // 2
    contour = steady.copy()
    for frame in range(centre, count - centre):
        if not steady[frame - centre : frame + centre + 1].all():
            contour[frame] = 0.0
    ends = [frame - 1 for frame in range(1, count) if contour[frame] == 0.0 and contour[frame - 1] != 0.0]
    starts = [frame for frame in range(1, count) if contour[frame - 1] == 0.0 and contour[frame] != 0.0]
    for position, end in enumerate(ends):
        limit = count - 1 if position == len(ends) - 1 else ends[position + 1]
        for frame in range(end, limit):
            contour[frame + 1] = _continued(contour[frame], contour[frame - 1], candidates[:, frame + 1])
            if contour[frame + 1] == 0.0:
                break
    for position in range(len(starts) - 1, -1, -1):
        limit = 1 if position == 0 else starts[position - 1]
        for frame in range(starts[position], limit, -1):
            contour[frame - 1] = _continued(contour[frame], contour[frame + 1], candidates[:, frame - 1])
            if contour[frame - 1] == 0.0:
                break
    return contour


def _continued(current: float, past: float, candidates: Floats) -> float:
    """The candidate next to where the contour points, 0 if none is near."""
    import numpy as np

    expected = (current * 3.0 - past) / 2.0
    nearest = float(candidates[int(np.argmin(np.abs(expected - candidates)))])
    return nearest if expected and abs(1.0 - nearest / expected) <= _ALLOWED_RANGE else 0.0


def _refined(samples: Floats, rate: int, time: float, pitch: float) -> float:
    import numpy as np

    if pitch <= 40.0 or pitch > rate / 12.0:
        return 0.0
    half = int(1.5 * rate / pitch + 1.0)
    length = 2 * half + 1
    seconds = length / rate
    size = 2 ** (2 + int(math.log2(length)))
    # Each rounded by itself, as the reference does: between two samples some go up and some down.
    index = _all_rounded((time + np.arange(-half, half + 1) / rate) * rate)
    phase = 2.0 * np.pi * ((index - 1.0) / rate - time) / seconds
    window = 0.42 + 0.5 * np.cos(phase) + 0.08 * np.cos(2.0 * phase)
    padded = np.concatenate(([0.0], window, [0.0]))
    difference = -(padded[2:] - padded[:-2]) / 2.0
    cut = samples[np.clip(index - 1, 0, len(samples) - 1)]
    main, derived = np.fft.rfft(cut * window, size), np.fft.rfft(cut * difference, size)
    power = main.real**2 + main.imag**2
    numerator = main.real * derived.imag - main.imag * derived.real

    def fixed(hertz: float, harmonics: int) -> float:
        bins = np.array([_rounded(hertz * size / rate * harmonic) for harmonic in range(1, harmonics + 1)])
        bins = np.minimum(bins, size // 2)
        at = power[bins]
        frequencies = np.where(at == 0.0, 0.0, bins * rate / size + numerator[bins] / np.where(at == 0.0, 1.0, at) * rate / 2.0 / np.pi)
        amplitudes = np.sqrt(at)
        return float((amplitudes * frequencies).sum() / ((amplitudes * np.arange(1, harmonics + 1)).sum() + _SAFE))

    tentative = fixed(pitch, 2)
    mean = 0.0 if tentative <= 0.0 or tentative > pitch * 2.0 else fixed(tentative, 6)
    return pitch if abs(mean - pitch) > pitch * 0.2 else mean


def _cheap_trick(samples: Floats, rate: int, size: int, pitch: float, time: float) -> Floats:
    """Power (size / 2 + 1,) at one time, free of the harmonics' ripple."""
    import numpy as np

    half = _rounded(1.5 * rate / pitch)
    offsets = np.arange(-half, half + 1)
    window = 0.5 * np.cos(np.pi * offsets / 1.5 / rate * pitch) + 0.5
    window /= math.sqrt(float((window * window).sum()))
    wave = samples[np.clip(_rounded(time * rate + 0.001) + offsets, 0, len(samples) - 1)] * window
    wave -= window * (wave.sum() / window.sum())
    spectrum = np.fft.rfft(wave, size)
    power = spectrum.real**2 + spectrum.imag**2
    # What lies below the pitch is filled up with its mirror image.
    below = 1 + int(pitch * size / rate)
    bins = np.arange(below)
    position = pitch * size / rate - bins
    base = position.astype(int)
    power[:below] += power[base] + (power[base + 1] - power[base]) * (position - base)
    power = _averaged(power, pitch * 2.0 / 3.0, rate, size)
    quefrency = np.arange(size // 2 + 1) / rate
    lifter = np.sinc(pitch * quefrency) * (1.0 - 2.0 * _COMPENSATION + 2.0 * _COMPENSATION * np.cos(2.0 * np.pi * quefrency * pitch))
    cepstrum = np.fft.irfft(np.log(power + np.finfo(float).eps), size)[: size // 2 + 1] * lifter
    mirrored = np.concatenate((cepstrum, cepstrum[-2:0:-1]))
    envelope: Floats = np.exp(np.fft.rfft(mirrored).real)
    return envelope


def _averaged(power: Floats, width: float, rate: int, size: int) -> Floats:
    """The mean over a band of ``width`` Hz around each bin."""
    import numpy as np

    step = rate / size
    boundary = int(width * size / rate) + 1
    mirrored = np.concatenate((power[boundary:0:-1], power, power[-2 : -2 - boundary : -1]))
    sums = np.cumsum(mirrored * step)
    lower: Floats = np.asarray((np.arange(size // 2 + 1) * step - width / 2.0 + (boundary - 0.5) * step) / step, dtype=np.float64)

    def at(position: Floats) -> Floats:
        base = position.astype(int)
        found: Floats = sums[base] + (sums[base + 1] - sums[base]) * (position - base)
        return found

    return (at(lower + width / step) - at(lower)) / width


def _all_rounded(numbers: Floats) -> NDArray[np.int64]:
    import numpy as np

    return (numbers + np.where(numbers > 0.0, 0.5, -0.5)).astype(np.int64)


def _rounded(number: float) -> int:
    """Half away from zero."""
    return int(number + 0.5) if number > 0 else int(number - 0.5)
