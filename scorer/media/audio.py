"""Sound as one channel of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scorer.media.bounds import MAX_SAMPLES, MAX_SECONDS, Undecodable

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from numpy.typing import NDArray

_MOST_DAMAGED = 0.1


def read_audio(path: str | Path, rate: int | None = None) -> tuple[NDArray[np.float64], int]:
    """(float64 (samples,) in -1..1, samples per second) of a sound file, or of a video's sound. Raises Undecodable.

    Channels are averaged. rate: what to resample to (a polyphase filter, scipy.signal.resample_poly); None: the file's own. Damaged
    packets are left out, as players do, up to a tenth of them.
    """
    import numpy as np

    from scorer.media.containers import opened

    with opened(path, "sound") as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        own = stream.rate
        if not own or not 1000 <= own <= 768_000:
            raise Undecodable(f"has {own} samples a second")
        most = min(MAX_SAMPLES, int(MAX_SECONDS * own))
        parts: list[NDArray[np.float32]] = []
        count = packets = damaged = 0
        for packet in container.demux(stream):
            packets += 1
            try:
                frames = packet.decode()
            except ValueError:  # PyAV's InvalidDataError
                damaged += 1
                continue
            for frame in frames:
                if frame.sample_rate != own:
                    raise Undecodable("changes its sampling rate on the way")
                parts.append(_mono(frame))
                count += len(parts[-1])
                if count > most:
                    raise Undecodable(f"lasts more than {most / own:.0f} s")
        if damaged > _MOST_DAMAGED * packets:
            raise Undecodable(f"{damaged} of its {packets} packets are damaged")
        if not count:
            raise Undecodable("holds no sample")
        joined = np.concatenate(parts)
        parts.clear()
        if not np.isfinite(joined.sum(dtype=np.float64)):
            raise Undecodable("holds samples that are not finite numbers")
        samples = joined.astype(np.float64)
        del joined
        np.clip(samples, -1.0, 1.0, out=samples)
        return resampled(samples, own, rate or own), rate or own


def resampled(samples: NDArray[np.float64], rate: int, to: int) -> NDArray[np.float64]:
    """The sound at ``to`` samples a second."""
    if rate == to:
        return samples
    from math import gcd

    import numpy as np
    from scipy.signal import resample_poly

    common = gcd(rate, to)
    found = resample_poly(samples, to // common, rate // common)
    return np.asarray(found, dtype=np.float64)


def _mono(frame: AudioFrame) -> NDArray[np.float32]:
    import numpy as np

    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        array = array.reshape(-1, channels).T
    if array.dtype == np.uint8:
        reals = (array.astype(np.float32) - 128.0) / 128.0
    elif array.dtype.kind == "i":
        reals = (array / float(2 ** (8 * array.dtype.itemsize - 1))).astype(np.float32)
    else:
        reals = array.astype(np.float32)
    mean: NDArray[np.float64] = reals.mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)
