"""Networks of clips: I3D, ViCLIP, action classification, RAFT, frame interpolation, and features of motions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from scorer.models.ports import Clip, Clips, Floats, Motion, Picture
from scorer.models.torchs import (
    CLIP_BATCH,
    accepted,
    batches,
    centre_square,
    inference,
    planes,
    resized,
    rows,
    script,
    spread,
    stacked,
    state_dict,
    unit,
)

if TYPE_CHECKING:
    from scorer.models.loading import Networks

I3D_FRAMES, I3D_SIDE = 16, 224
VICLIP_FRAMES, VICLIP_SIDE = 8, 224
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""CLIP's colour normalisation (Radford et al. 2021), which ViCLIP shares."""
MOST_FLOW_PIXELS = 1024 * 768
"""RAFT compares every eighth pixel with every other: this many take 600 MB."""
_FLOW_SIDE = 8
"""RAFT takes sides that are multiples of this, and at least 128."""


class I3d:
    """Features of 16 frames, evenly spread, at 224 x 224."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._device = networks.device
        self._net = script(path, self._device)
        self._own_scaling = accepted(self._net, "rescale", "resize", "return_features")

    @inference
    def features(self, clips: Clips) -> Floats:
        found = []
        for batch in batches(clips, CLIP_BATCH):
            videos = torch.stack([self._clip(clip) for clip in batch]).transpose(1, 2)  # (n, 3, T, H, W)
            if self._own_scaling:
                found.append(rows(self._net(videos, rescale=True, resize=True, return_features=True)))
            else:
                found.append(rows(self._net(videos / 127.5 - 1.0)))
        return stacked(found)

    def _clip(self, clip: Clip) -> torch.Tensor:
        frames = planes(spread(clip, I3D_FRAMES)).to(self._device, torch.float32)
        return resized(frames, (I3D_SIDE, I3D_SIDE))


class ViClip:
    """ViCLIP from TorchScript with encode_video and encode_text; 8 frames, evenly spread, the square in the middle."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoTokenizer

        self._device = networks.device
        self._net = script(path, self._device)
        self._tokens = AutoTokenizer.from_pretrained(networks.path("clip"), local_files_only=True)
        self._mean = torch.tensor(_MEAN, device=self._device)[:, None, None]
        self._deviation = torch.tensor(_DEVIATION, device=self._device)[:, None, None]

    @inference
    def clips(self, clips: Clips) -> Floats:
        found = []
        for batch in batches(clips, CLIP_BATCH):
            frames = [
                centre_square(planes(spread(clip, VICLIP_FRAMES)).to(self._device, torch.float32) / 255.0, VICLIP_SIDE) for clip in batch
            ]
            found.append(rows(self._net.encode_video((torch.stack(frames) - self._mean) / self._deviation)))
        return unit(stacked(found))

    @inference
    def texts(self, texts: Sequence[str]) -> Floats:
        found = []
        for batch in batches(texts):
            tokens = self._tokens(list(batch), padding="max_length", truncation=True, max_length=77, return_tensors="pt")["input_ids"]
            # CLIP's own tokenizer fills with zeros behind the end; the library's with the end token.
            ended = (tokens == self._tokens.eos_token_id).cumsum(1) - (tokens == self._tokens.eos_token_id).long() > 0
            found.append(rows(self._net.encode_text(tokens.masked_fill(ended, 0).to(self._device))))
        return unit(stacked(found))


class ActionClassifier:
    """A video classifier of the transformers library (VideoMAE and the like)."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoImageProcessor, AutoModelForVideoClassification

        self._device = networks.device
        self._model = AutoModelForVideoClassification.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._processor = AutoImageProcessor.from_pretrained(path, local_files_only=True)
        self._frames = int(getattr(self._model.config, "num_frames", 16))

    @inference
    def classes(self, clips: Clips) -> list[list[tuple[str, float]]]:
        found = []
        for clip in clips:
            pixels = self._processor(list(spread(clip, self._frames)), return_tensors="pt")["pixel_values"].to(self._device)
            shares = torch.softmax(self._model(pixel_values=pixels).logits[0].float(), dim=-1).cpu()
            order = torch.argsort(shares, descending=True, stable=True).tolist()
            found.append([(str(self._model.config.id2label[index]), float(shares[index])) for index in order])
        return found


class Raft:
    """RAFT of torchvision, large or small as the weights are; 20 updates. Pictures of over 786,432 pixels are made smaller for it."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from torchvision.models.optical_flow import raft_large, raft_small

        weights = state_dict(path)
        small = not any("convcorr2" in name for name in weights)  # only the large one's motion encoder has two
        self._device = networks.device
        self._net = (raft_small if small else raft_large)(weights=None)
        self._net.load_state_dict(weights)
        self._net.to(self._device).eval()

    @inference
    def flow(self, first: Picture, second: Picture) -> Floats:
        pair = planes(np.stack([first, second])).to(self._device, torch.float32) / 127.5 - 1.0
        given = pair.shape[-2:]
        scale = min(1.0, (MOST_FLOW_PIXELS / (given[0] * given[1])) ** 0.5)
        height, width = (max(1, int(side * scale)) for side in given)
        pair = resized(pair, (height, width))
        high, wide = (max(128, -(-side // _FLOW_SIDE) * _FLOW_SIDE) for side in (height, width))
        pair = torch.nn.functional.pad(pair, (0, wide - width, 0, high - height), mode="replicate")
        flow = self._net(pair[:1], pair[1:], num_flow_updates=20)[-1][:, :, :height, :width]
        if scale < 1.0:
            flow = torch.nn.functional.interpolate(flow, size=given, mode="bilinear") * flow.new_tensor(
                [given[1] / width, given[0] / height]
            ).reshape(1, 2, 1, 1)
        flow = flow[0]
        return np.ascontiguousarray(np.moveaxis(flow.float().cpu().numpy(), 0, -1))


class ScriptInterpolator:
    """A frame interpolation network from TorchScript; sides are filled up to multiples of 16."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._device = networks.device
        self._net = script(path, self._device)

    @inference
    def middle(self, first: Picture, second: Picture) -> Picture:
        height, width = first.shape[:2]
        pair = planes(np.stack([first, second])).to(self._device, torch.float32) / 255.0
        pair = torch.nn.functional.pad(pair, (0, -width % 16, 0, -height % 16), mode="replicate")
        found = self._net(pair[:1], pair[1:])
        found = (found[0] if isinstance(found, tuple | list) else found)[0, :, :height, :width]
        return np.ascontiguousarray(np.moveaxis((found.clamp(0.0, 1.0) * 255.0).round().to(torch.uint8).cpu().numpy(), 0, -1))


class Motions:
    """Features of one motion after the other, as their lengths differ."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._device = networks.device
        self._net = script(path, self._device)

    @inference
    def features(self, motions: Sequence[Motion]) -> Floats:
        tensors = (torch.from_numpy(np.ascontiguousarray(motion, dtype=np.float32))[None].to(self._device) for motion in motions)
        return stacked([rows(self._net(tensor)) for tensor in tensors])


LOADERS: Mapping[str, Callable[[Path, Networks], object]] = {
    "i3d": I3d,
    "viclip": ViClip,
    "action_classifier": ActionClassifier,
    "raft": Raft,
    "interpolator": ScriptInterpolator,
    "motion": Motions,
}
