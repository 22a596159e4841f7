"""Small networks without published weights, saved in the forms that real ones come in. Import it only where torch is."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from torch import Tensor, nn

CHARACTERS = string.ascii_lowercase


class Plain(nn.Module):
    """uint8 (n, 3, H, W) -> (n, 6): mean and spread of each colour."""

    def forward(self, pictures: Tensor) -> Tensor:
        floats = pictures.float() / 255.0
        return torch.cat([floats.mean(dim=[2, 3]), floats.std(dim=[2, 3], unbiased=False)], dim=1)


class WithReturnFeatures(nn.Module):
    """As StyleGAN's detectors are called."""

    def forward(self, pictures: Tensor, return_features: bool = False) -> Tensor:
        means = pictures.float().mean(dim=[2, 3])
        return means if return_features else means.sum(dim=1, keepdim=True)


class VideoPlain(nn.Module):
    """float (n, 3, 16, 224, 224), -1..1 -> (n, 6)."""

    def forward(self, videos: Tensor) -> Tensor:
        return torch.cat([videos.mean(dim=[2, 3, 4]), videos.std(dim=[2, 3, 4], unbiased=False)], dim=1)


class VideoScaling(nn.Module):
    """As StyleGAN-V's I3D is called: 0..255, and told to scale itself."""

    def forward(self, videos: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        if not (rescale and resize and return_features):
            return videos.new_zeros([videos.shape[0], 1])
        scaled = videos / 127.5 - 1.0
        return torch.cat([scaled.mean(dim=[2, 3, 4]), scaled.std(dim=[2, 3, 4], unbiased=False)], dim=1)


class VideoText(nn.Module):
    """ViCLIP's two methods. A text is how many tokens of it are not 0, a video how bright it is."""

    def forward(self, frames: Tensor) -> Tensor:
        return self.encode_video(frames)

    @torch.jit.export
    def encode_video(self, frames: Tensor) -> Tensor:
        return torch.stack([torch.ones_like(frames[:, 0, 0, 0, 0]), frames.mean(dim=[1, 2, 3, 4])], dim=1)

    @torch.jit.export
    def encode_text(self, tokens: Tensor) -> Tensor:
        used = (tokens != 0).float().sum(dim=1)
        return torch.stack([torch.ones_like(used), used], dim=1)


class Score(nn.Module):
    """float (1, 3, H, W), 0..1 -> brightness in percent."""

    def forward(self, picture: Tensor) -> Tensor:
        return picture.mean() * 100.0


class Middle(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return (first + second) / 2.0


class Motion(nn.Module):
    """float (1, T, D) -> (1, D)."""

    def forward(self, motion: Tensor) -> Tensor:
        return motion.mean(dim=1)


class LogMel(nn.Module):
    """float (n, 1, 96, 64) -> (n, 4)."""

    def forward(self, examples: Tensor) -> Tensor:
        return examples.reshape(examples.shape[0], 4, -1).mean(dim=2)


class Opinion(nn.Module):
    def forward(self, samples: Tensor) -> Tensor:
        return 1.0 + 4.0 * samples.abs().mean(dim=1)


class Broken(nn.Module):
    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.float() @ torch.ones(3, 3)


def script(module: nn.Module, path: Path) -> Path:
    torch.jit.script(module).save(str(path))
    return path


def vocabulary() -> dict[str, int]:
    """Single letters: "!" first, as CLIP's has it."""
    words = ["!", *CHARACTERS, *(f"{letter}</w>" for letter in CHARACTERS), "<|startoftext|>", "<|endoftext|>"]
    return {word: index for index, word in enumerate(words)}


def clip(folder: Path, dimensions: int = 8) -> Path:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    words = vocabulary()
    end = words["<|endoftext|>"]
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": dimensions}
    tokens = {"vocab_size": len(words), "max_position_embeddings": 77, "bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end}
    torch.manual_seed(0)
    CLIPModel(
        CLIPConfig(text_config={**sizes, **tokens}, vision_config={**sizes, "image_size": 32, "patch_size": 8}, projection_dim=dimensions)
    ).save_pretrained(folder)
    CLIPTokenizer(vocab=words, merges=[]).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def vit(folder: Path) -> Path:
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    torch.manual_seed(1)
    ViTModel(
        ViTConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8),
        add_pooling_layer=False,
    ).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def picture_classifier(folder: Path, classes: int) -> Path:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    torch.manual_seed(5)
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    model = ViTForImageClassification(ViTConfig(**sizes, num_labels=classes))
    with torch.no_grad():
        model.classifier.weight.normal_()
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def owl(folder: Path) -> Path:
    from transformers import CLIPTokenizer, OwlViTConfig, OwlViTForObjectDetection, OwlViTImageProcessor, OwlViTProcessor

    words = vocabulary()
    end = words["<|endoftext|>"]
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"vocab_size": len(words), "max_position_embeddings": 24, "bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": 0}
    torch.manual_seed(2)
    model = OwlViTForObjectDetection(
        OwlViTConfig(text_config={**sizes, **tokens}, vision_config={**sizes, "image_size": 32, "patch_size": 16}, projection_dim=16)
    )
    model.save_pretrained(folder)
    OwlViTProcessor(
        OwlViTImageProcessor(size={"height": 32, "width": 32}, crop_size={"height": 32, "width": 32}),
        CLIPTokenizer(vocab=words, merges=[], pad_token="!", model_max_length=24),
    ).save_pretrained(folder)
    return folder


def grounding(folder: Path) -> Path:
    from transformers import (
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
        SwinConfig,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", "cat", "dog", "red"]
    torch.manual_seed(3)
    backbone = SwinConfig(
        embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, image_size=64, out_features=["stage2", "stage3", "stage4"]
    )
    text = {"model_type": "bert", "vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = GroundingDinoConfig(
        backbone_config=backbone,
        text_config={**text, "intermediate_size": 32, "max_position_embeddings": 64},
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=8,
        max_text_len=16,
    )
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(words)})
    GroundingDinoProcessor(GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}), tokenizer).save_pretrained(folder)
    return folder


def video_classifier(folder: Path, bias: list[float]) -> Path:
    """VideoMAE whose classes' probabilities are decided by ``bias`` alone."""
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessor

    torch.manual_seed(4)
    names = ["playing guitar", "running", "cooking"]
    config = VideoMAEConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
        num_frames=4,
        tubelet_size=2,
        num_labels=3,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
    )
    model = VideoMAEForVideoClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor(bias))
    model.save_pretrained(folder)
    VideoMAEImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def clap(folder: Path) -> Path:
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *CHARACTERS]
    torch.manual_seed(5)
    text = {"vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    audio = {
        "patch_embeds_hidden_size": 8,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "hidden_size": 16,
        "spec_size": 64,
        "window_size": 4,
        "num_mel_bins": 16,
        "enable_fusion": False,
        "patch_size": 4,
        "patch_stride": [4, 4],
    }
    config = ClapConfig(text_config={**text, "max_position_embeddings": 80}, audio_config=audio, projection_dim=8)
    ClapModel(config).save_pretrained(folder)
    RobertaTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], model_max_length=77).save_pretrained(folder)
    ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=16_000,
        hop_length=320,
        max_length_s=2,
        fft_window_size=512,
        frequency_max=8_000,
        truncation="rand_trunc",
    ).save_pretrained(folder)
    return folder


def whisper(folder: Path) -> Path:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperProcessor, WhisperTokenizer

    special = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"]
    words = [*CHARACTERS, "Ġ", *special]
    index = {word: number for number, word in enumerate(words)}
    torch.manual_seed(6)
    config = WhisperConfig(
        vocab_size=len(words),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_target_positions=16,
        pad_token_id=index["<|endoftext|>"],
        bos_token_id=index["<|endoftext|>"],
        eos_token_id=index["<|endoftext|>"],
        decoder_start_token_id=index["<|startoftranscript|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config.max_length = 12
    model.generation_config.is_multilingual = False
    model.generation_config.no_timestamps_token_id = index["<|notimestamps|>"]
    model.save_pretrained(folder)
    WhisperProcessor(
        WhisperFeatureExtractor(), WhisperTokenizer(vocab=index, merges=[], additional_special_tokens=special)
    ).save_pretrained(folder)
    return folder
