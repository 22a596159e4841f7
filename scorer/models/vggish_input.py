"""What VGGish looks at: log mel spectrograms of 0.96 s, from samples at 16 kHz.

Source: Hershey et al. 2017, "CNN Architectures for Large-Scale Audio Classification", and the parameters published with AudioSet's VGGish.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
WINDOW, HOP = 400, 160  # samples: 25 and 10 ms
FFT = 512
BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
OFFSET = 0.01
FRAMES = 96  # of one example


def log_mel_examples(samples: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 (n, 1, 96, 64), n >= 1. samples: (k,) at 16 kHz, -1..1; what is shorter than one example is filled with silence.

    Magnitudes of a periodic Hann window's Fourier transform, 64 triangular bands evenly spaced in mel (1127 ln(1 + f/700)), then
    ln(band + 0.01). Examples do not overlap; a rest that fills none is dropped.
    """
    import numpy as np

    samples = np.asarray(samples, dtype=np.float64)
    shortest = WINDOW + (FRAMES - 1) * HOP
    if len(samples) < shortest:
        samples = np.pad(samples, (0, shortest - len(samples)))
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi / WINDOW * np.arange(WINDOW))
    log_mel = np.log(np.abs(np.fft.rfft(windows * hann, FFT)) @ mel_bands() + OFFSET)
    count = len(log_mel) // FRAMES
    return log_mel[: count * FRAMES].reshape(count, 1, FRAMES, BANDS).astype(np.float32)


def mel_bands() -> NDArray[np.float64]:
    """(257, 64): how much each Fourier bin counts in each band; the bin at 0 Hz counts in none."""
    import numpy as np

    bins = 1127.0 * np.log1p(np.linspace(0.0, RATE / 2.0, FFT // 2 + 1) / 700.0)
    edges = np.linspace(1127.0 * math.log1p(LOWEST_HZ / 700.0), 1127.0 * math.log1p(HIGHEST_HZ / 700.0), BANDS + 2)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights
