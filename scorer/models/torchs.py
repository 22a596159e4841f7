"""What the networks that run on torch share: batches, the device, files of TorchScript and of weights. Import it only to use one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from scorer.models.ports import Clip, Floats

T = TypeVar("T")
P = ParamSpec("P")

BATCH = 32
"""Pictures, texts or sounds at once."""
CLIP_BATCH = 4
"""Clips at once."""


def inference(function: Callable[P, T]) -> Callable[P, T]:
    """A function that runs networks: without gradients."""
    return cast(Callable[P, T], torch.inference_mode()(function))


def batches(entries: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def script(path: Path, device: str) -> torch.jit.ScriptModule:
    """A TorchScript file, ready to be called. Raises RuntimeError for anything else."""
    if path.is_dir():
        raise RuntimeError("it is a folder, not a TorchScript file")
    return torch.jit.load(str(path), map_location=device).eval()


def is_script(path: Path) -> bool:
    """Whether a file is TorchScript: a zip archive that has code in it."""
    import zipfile

    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Weights by name, from .safetensors or a torch file. Only tensors are read: a pickle of anything else is refused."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(str(path)))
    try:
        found = torch.load(str(path), map_location="cpu", weights_only=True)
    except Exception as error:  # not torch's own message: it tells how to run the file's code
        raise RuntimeError("it is not a file of tensors alone") from error
    if not isinstance(found, dict):
        raise RuntimeError("it holds no weights by name")
    return dict(found.get("state_dict", found))


def accepted(module: torch.jit.ScriptModule, *names: str) -> bool:
    """Whether a TorchScript module's forward takes arguments of these names."""
    taken = {argument.name for argument in module.forward.schema.arguments}
    return all(name in taken for name in names)


def rows(found: torch.Tensor | tuple[torch.Tensor, ...] | list[torch.Tensor]) -> Floats:
    """A network's output as float32 (n, d) on the CPU; the first one if there are several."""
    first = found[0] if isinstance(found, tuple | list) else found
    array = first.detach().to("cpu", torch.float32).numpy()
    return np.ascontiguousarray(array.reshape(len(array), -1))


def stacked(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(list(parts)) if parts else np.zeros((0, 0), np.float32)


def unit(vectors: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)


def planes(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 (..., H, W, 3) as a tensor with the colours before height and width."""
    array = np.ascontiguousarray(np.moveaxis(np.asarray(pictures), -1, -3))
    return torch.from_numpy(array)


def resized(frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A float tensor (n, 3, H, W) at another size, bilinear with antialiasing."""
    if tuple(frames.shape[-2:]) == size:
        return frames
    return torch.nn.functional.interpolate(frames, size=size, mode="bilinear", align_corners=False, antialias=True)


def centre_square(frames: torch.Tensor, side: int) -> torch.Tensor:
    """A float tensor (n, 3, H, W) with its shorter side made ``side``, and cropped to the square in the middle."""
    height, width = frames.shape[-2:]
    scale = side / min(height, width)
    frames = resized(frames, (max(side, round(height * scale)), max(side, round(width * scale))))
    top, left = (frames.shape[-2] - side) // 2, (frames.shape[-1] - side) // 2
    return frames[..., top : top + side, left : left + side]


def spread(frames: Clip, count: int) -> Clip:
    """``count`` frames of a clip (T, H, W, 3), evenly spread from its first to its last; frames repeat if it has fewer."""
    spread_frames: Clip = frames[np.linspace(0, len(frames) - 1, count).round().astype(int)]
    return spread_frames
