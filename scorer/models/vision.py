"""Networks of pictures: CLIP, DINO, classification, Inception, the aesthetic head, MUSIQ, open-vocabulary detection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from scorer.models.ports import Floats, Found, Pictures
from scorer.models.torchs import accepted, batches, inference, is_script, planes, resized, rows, script, stacked, state_dict, unit

if TYPE_CHECKING:
    from scorer.models.loading import Networks

DETECTION_THRESHOLD = 0.25
"""Detections below this score do not count (the default box threshold of Grounding DINO's post-processing)."""
LONGEST_SIDE = 512
"""Pictures are made at most this long for MUSIQ, as VBench's imaging quality does."""


class Clip:
    """CLIP of the transformers library: pictures and texts as unit vectors. Texts are cut at the model's length (77 tokens)."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

        self._device = networks.device
        self._model = CLIPModel.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._pictures = AutoImageProcessor.from_pretrained(path, local_files_only=True)
        self._tokens = AutoTokenizer.from_pretrained(path, local_files_only=True)
        self._length = self._model.config.text_config.max_position_embeddings

    @inference
    def pictures(self, pictures: Pictures) -> Floats:
        found = []
        for batch in batches(pictures):
            pixels = self._pictures(images=[*map(np.array, batch)], return_tensors="pt", input_data_format="channels_last")["pixel_values"]
            vision = self._model.vision_model(pixel_values=pixels.to(self._device)).pooler_output
            found.append(rows(self._model.visual_projection(vision)))
        return unit(stacked(found))

    @inference
    def texts(self, texts: Sequence[str]) -> Floats:
        found = []
        for batch in batches(texts):
            tokens = self._tokens(list(batch), padding=True, truncation=True, max_length=self._length, return_tensors="pt").to(self._device)
            text = self._model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).pooler_output
            found.append(rows(self._model.text_projection(text)))
        return unit(stacked(found))


class Dino:
    """DINO (a ViT) or DINOv2 of the transformers library: the class token after the last layer norm."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoImageProcessor, AutoModel

        self._device = networks.device
        self._model = AutoModel.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._pictures = AutoImageProcessor.from_pretrained(path, local_files_only=True)

    @inference
    def features(self, pictures: Pictures) -> Floats:
        found = []
        for batch in batches(pictures):
            pixels = self._pictures(images=[*map(np.array, batch)], return_tensors="pt", input_data_format="channels_last")["pixel_values"]
            found.append(rows(self._model(pixel_values=pixels.to(self._device)).last_hidden_state[:, 0]))
        return stacked(found)


class PictureClassifier:
    """A picture classifier of the transformers library (ViT and the like)."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        self._device = networks.device
        self._model = AutoModelForImageClassification.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._pictures = AutoImageProcessor.from_pretrained(path, local_files_only=True)

    @inference
    def shares(self, pictures: Pictures) -> Floats:
        found = []
        for batch in batches(pictures):
            pixels = self._pictures(images=[*map(np.array, batch)], return_tensors="pt", input_data_format="channels_last")["pixel_values"]
            found.append(rows(torch.softmax(self._model(pixel_values=pixels.to(self._device)).logits.float(), dim=-1)))
        return stacked(found)


class Inception:
    """Inception v3's 2048 pool features, by torch-fidelity (its resizing is the original graph's) or by a TorchScript file."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._device = networks.device
        self._extra: dict[str, bool] = {}
        if is_script(path):
            self._net = script(path, self._device)
            if accepted(self._net, "return_features"):
                self._extra = {"return_features": True}
        else:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

            state_dict(path)  # torch-fidelity would run a pickle's code: this refuses one first
            self._net = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(path)).to(self._device)

    @inference
    def features(self, pictures: Pictures) -> Floats:
        found: dict[int, Floats] = {}
        sizes: dict[tuple[int, ...], list[int]] = {}
        for index, picture in enumerate(pictures):
            sizes.setdefault(picture.shape, []).append(index)
        for same in sizes.values():
            for batch in batches(same):
                tensor = planes(np.stack([pictures[index] for index in batch])).to(self._device)
                for index, vector in zip(batch, rows(self._net(tensor, **self._extra)), strict=True):
                    found[index] = vector
        return np.stack([found[index] for index in range(len(pictures))]) if found else np.zeros((0, 0), np.float32)


class AestheticScores:
    """LAION's aesthetic predictor: a linear head on CLIP ViT-L/14's unit vectors; about 0..10."""

    def __init__(self, path: Path, networks: Networks) -> None:
        weights = state_dict(path)
        names = {name.rpartition(".")[2]: tensor for name, tensor in weights.items()}
        self._weight = names["weight"].to(torch.float32).numpy().reshape(1, -1)
        self._bias = float(names["bias"].to(torch.float32).reshape(()))
        self._clip = networks.load("clip_large")
        given = self._clip.pictures([np.zeros((8, 8, 3), np.uint8)]).shape[1]
        if given != self._weight.shape[1]:
            raise ValueError(f"it takes {self._weight.shape[1]} numbers, and the clip_large network gives {given}")

    def scores(self, pictures: Pictures) -> Floats:
        scores: Floats = (self._clip.pictures(pictures) @ self._weight.T)[:, 0] + np.float32(self._bias)
        return scores


class Musiq:
    """MUSIQ from TorchScript; pictures are made at most 512 long."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._device = networks.device
        self._net = script(path, self._device)

    @inference
    def scores(self, pictures: Pictures) -> Floats:
        found = []
        for picture in pictures:
            tensor = planes(picture)[None].to(self._device, torch.float32) / 255.0
            height, width = tensor.shape[-2:]
            scale = min(1.0, LONGEST_SIDE / max(height, width))
            tensor = resized(tensor, (max(1, round(height * scale)), max(1, round(width * scale))))
            found.append(float(rows(self._net(tensor).reshape(1, 1))[0, 0]))
        return np.array(found, np.float32)


class ZeroShotDetector:
    """OWL-ViT, OWLv2 or Grounding DINO of the transformers library."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

        self._device = networks.device
        self._model = AutoModelForZeroShotObjectDetection.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._processor = AutoProcessor.from_pretrained(path, local_files_only=True)
        self._grounding = "dino" in self._model.config.model_type

    @inference
    def find(self, pictures: Pictures, names: Sequence[str]) -> list[list[Found]]:
        found: list[list[Found]] = []
        wanted = list(names)
        for batch in batches(pictures, 8):
            asked = (
                [". ".join(wanted) + "."] * len(batch) if self._grounding else [[f"a photo of a {name}" for name in wanted]] * len(batch)
            )
            inputs = self._processor(text=asked, images=[*map(np.array, batch)], return_tensors="pt", padding=True).to(self._device)
            outputs = self._model(**inputs)
            sizes = [picture.shape[:2] for picture in batch]
            if self._grounding:
                results = self._processor.post_process_grounded_object_detection(
                    outputs, inputs["input_ids"], threshold=DETECTION_THRESHOLD, target_sizes=sizes
                )
            else:
                results = self._processor.post_process_grounded_object_detection(outputs, threshold=DETECTION_THRESHOLD, target_sizes=sizes)
            found.extend(self._found(result, wanted) for result in results)
        return found

    def _found(self, result: Mapping[str, torch.Tensor], wanted: list[str]) -> list[Found]:
        listed = []
        labels = result.get("text_labels") if self._grounding else [wanted[int(index)] for index in result["labels"]]
        for label, score, box in zip(labels or (), result["scores"].tolist(), result["boxes"].tolist(), strict=True):
            name = label if label in wanted else next((each for each in wanted if each in label or (label and label in each)), "")
            left, top, right, bottom = box
            if name:
                listed.append(Found(name, score, (left, top, right - left, bottom - top)))
        return listed


LOADERS: Mapping[str, Callable[[Path, Networks], object]] = {
    "clip": Clip,
    "clip_large": Clip,
    "dino": Dino,
    "picture_classifier": PictureClassifier,
    "inception": Inception,
    "aesthetic_head": AestheticScores,
    "musiq": Musiq,
    "detector": ZeroShotDetector,
}
