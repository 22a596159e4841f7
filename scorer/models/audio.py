"""Networks of sounds: VGGish, CLAP, speech recognition, and predictors of mean opinion scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scorer.models.ports import Floats, Recogniser, Sound
from scorer.models.vggish_input import RATE as VGGISH_RATE
from scorer.models.vggish_input import log_mel_examples

if TYPE_CHECKING:
    from scorer.models.loading import Networks

SPEECH_RATE = 16_000
WHISPER_SECONDS = 30
DNSMOS_SAMPLES = 144_160  # 9.01 s
MOST_WINDOWS = 120
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)
"""From DNSMOS's raw overall value to an opinion score: the polynomial published with it (microsoft/DNS-Challenge)."""


class Vggish:
    """128 features for every 0.96 s."""

    rate = VGGISH_RATE

    def __init__(self, path: Path, networks: Networks) -> None:
        from scorer.models.torchs import script

        self._device = networks.device
        self._net = script(path, self._device)

    def features(self, samples: Sound) -> Floats:
        import torch

        from scorer.models.torchs import BATCH, rows, stacked

        examples = log_mel_examples(samples)
        batches = (examples[start : start + BATCH] for start in range(0, len(examples), BATCH))
        with torch.inference_mode():
            return stacked([rows(self._net(torch.from_numpy(batch).to(self._device))) for batch in batches])


class Clap:
    """CLAP of the transformers library: sounds and texts as unit vectors. Sounds longer than its window (10 s) are cut at its middle."""

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoFeatureExtractor, AutoTokenizer, ClapModel

        self._device = networks.device
        self._model = ClapModel.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._sounds = AutoFeatureExtractor.from_pretrained(path, local_files_only=True)
        self._tokens = AutoTokenizer.from_pretrained(path, local_files_only=True)
        self.rate = int(self._sounds.sampling_rate)
        self._longest = int(self._sounds.nb_max_samples)

    def sounds(self, sounds: Sequence[Sound]) -> Floats:
        import torch

        from scorer.models.torchs import batches, rows, stacked, unit

        found = []
        for batch in batches(sounds, 8):
            # The extractor cuts long sounds at random: cut here, so that a sound has one embedding.
            cut = [np.asarray(sound, np.float32)[max(0, (len(sound) - self._longest) // 2) :][: self._longest] for sound in batch]
            inputs = self._sounds(cut, sampling_rate=self.rate, return_tensors="pt").to(self._device)
            with torch.inference_mode():
                pooled = self._model.audio_model(input_features=inputs["input_features"], is_longer=inputs.get("is_longer")).pooler_output
                found.append(rows(self._model.audio_projection(pooled)))
        return unit(stacked(found))

    def texts(self, texts: Sequence[str]) -> Floats:
        import torch

        from scorer.models.torchs import batches, rows, stacked, unit

        found = []
        for batch in batches(texts):
            tokens = self._tokens(list(batch), padding=True, truncation=True, return_tensors="pt").to(self._device)
            with torch.inference_mode():
                pooled = self._model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).pooler_output
                found.append(rows(self._model.text_projection(pooled)))
        return unit(stacked(found))


class Whisper:
    """Whisper of the transformers library; long sounds in pieces of 30 s, greedy."""

    rate = SPEECH_RATE

    def __init__(self, path: Path, networks: Networks) -> None:
        from transformers import AutoProcessor, WhisperForConditionalGeneration

        self._device = networks.device
        self._model = WhisperForConditionalGeneration.from_pretrained(path, local_files_only=True).to(self._device).eval()
        self._processor = AutoProcessor.from_pretrained(path, local_files_only=True)
        self._multilingual = bool(getattr(self._model.generation_config, "is_multilingual", False))

    def transcribe(self, samples: Sound, language: str = "") -> str:
        import torch

        size = WHISPER_SECONDS * SPEECH_RATE
        said = []
        for start in range(0, max(1, len(samples)), size):
            piece = np.asarray(samples[start : start + size], np.float32)
            inputs = self._processor(piece, sampling_rate=SPEECH_RATE, return_tensors="pt", return_attention_mask=True).to(self._device)
            chosen = {"language": language or None, "task": "transcribe"} if self._multilingual else {}
            with torch.inference_mode():
                tokens = self._model.generate(inputs["input_features"], attention_mask=inputs.get("attention_mask"), num_beams=1, **chosen)
            said.append(self._processor.batch_decode(tokens, skip_special_tokens=True)[0].strip())
        return " ".join(part for part in said if part)


class PocketSphinx:
    """The small English recogniser of the pocketsphinx package. Far from Whisper: a stand-in if no better weights are at hand."""

    rate = SPEECH_RATE

    def __init__(self, path: Path, networks: Networks) -> None:
        from pocketsphinx import Config, Decoder

        model = path / "model" / "en-us"
        self._decoder = Decoder(
            Config(
                hmm=str(model / "en-us"),
                lm=str(model / "en-us.lm.bin"),
                dict=str(model / "cmudict-en-us.dict"),
                samprate=float(SPEECH_RATE),
                loglevel="FATAL",
            )
        )

    def transcribe(self, samples: Sound, language: str = "") -> str:
        decoder = self._decoder
        decoder.reinit_feat()  # forget the noise level of the last sound: a sound has one transcript
        decoder.start_utt()
        decoder.process_raw((np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found is not None else ""


class Dnsmos:
    """DNSMOS P.835's overall quality: mean over windows of 9.01 s, one each second; short sounds are repeated (as published).

    Of a sound with more than 120 windows, 120 that are evenly spread.
    """

    rate = SPEECH_RATE

    def __init__(self, path: Path, networks: Networks) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = 1
        self._session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def opinion(self, samples: Sound) -> float:
        samples = np.asarray(samples, np.float32)
        if len(samples) == 0:
            samples = np.zeros(1, np.float32)
        while len(samples) < DNSMOS_SAMPLES:
            samples = np.concatenate([samples, samples])
        # The published windows, with their rounding: the last one of a sound and those that come out a sample short are left out.
        seconds = DNSMOS_SAMPLES / SPEECH_RATE
        starts = [second * SPEECH_RATE for second in range(max(1, int(len(samples) // SPEECH_RATE - seconds) + 1))]
        ends = [int((start // SPEECH_RATE + seconds) * SPEECH_RATE) for start in starts]
        windows = [samples[None, start:end] for start, end in zip(starts, ends, strict=True)]
        whole = [part for part in windows if part.shape[1] == DNSMOS_SAMPLES]
        chosen = sorted(set(np.linspace(0, len(whole) - 1, min(len(whole), MOST_WINDOWS)).round().astype(int).tolist()))
        raw = [self._session.run(None, {self._input: whole[index]})[0][0][2] for index in chosen]
        return float(np.mean(np.polyval(_OVERALL, np.asarray(raw, np.float64))))


class Utmos:
    """UTMOS from TorchScript."""

    rate = SPEECH_RATE

    def __init__(self, path: Path, networks: Networks) -> None:
        from scorer.models.torchs import script

        self._device = networks.device
        self._net = script(path, self._device)

    def opinion(self, samples: Sound) -> float:
        import torch

        with torch.inference_mode():
            return float(self._net(torch.from_numpy(np.asarray(samples, np.float32))[None].to(self._device)).reshape(-1)[0])


def _recogniser(path: Path, networks: Networks) -> Recogniser:
    return PocketSphinx(path, networks) if (path / "model" / "en-us").is_dir() else Whisper(path, networks)


LOADERS: Mapping[str, Callable[[Path, Networks], object]] = {
    "vggish": Vggish,
    "clap": Clap,
    "recogniser": _recogniser,
    "dnsmos": Dnsmos,
    "utmos": Utmos,
}
