"""The networks behind the metrics, run by the libraries that run the published ones: small ones with random weights, from files to scores.

No published weights of CLIP, Inception, I3D and the like come in packages; those of DNSMOS and pocketsphinx do, and are used.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scorer.metrics import Metric, MetricUnavailable, Question
from scorer.metrics.learned.distances import AudioDistance, MotionDistance, PictureDistance, VideoDistance
from scorer.metrics.learned.frames import FrameConsistency, FrameScores
from scorer.metrics.learned.frechet import frechet_distance
from scorer.metrics.learned.similarity import PictureClass, PictureTextSimilarity, SoundTextSimilarity
from scorer.metrics.learned.speech import PredictedOpinion, SpokenText
from scorer.metrics.learned.video import ActionShown, ImageToVideo, MovingVideos, SubjectsFound, VideoTextSimilarity
from scorer.metrics.text.wer import WordErrorRate
from scorer.models import Networks, NetworkUnavailable
from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskOutcome, TaskScoring

pytestmark = pytest.mark.full
HERE = Path(__file__).parents[1]
SENTENCE = "the weather was warm and sunny yesterday"


@pytest.fixture(scope="module")
def toys() -> Any:
    import torch

    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("toy_networks", HERE / "toy_networks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy_networks"] = module  # where TorchScript looks for its classes' names
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def clip(toys: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = toys.clip(tmp_path_factory.mktemp("clip"))
    return folder


def pictures(count: int, seed: int = 0) -> list[Any]:
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 256, (20 + 3 * (index % 4), 31, 3)).astype(np.uint8) for index in range(count)]


def saved(folder: Path, name: str, found: list[Any]) -> list[Path]:
    paths = [folder / f"{name}{index}.png" for index in range(len(found))]
    for path, picture in zip(paths, found, strict=True):
        Image.fromarray(picture).save(path)
    return paths


def video(folder: Path, name: str, frames: list[Any]) -> Path:
    path = folder / name
    path.mkdir()
    saved(path, "", frames)
    return path


def score(metric: Metric[Any], answers: list[Path], labels: list[Any], prompt: str = "") -> tuple[TaskOutcome, str]:
    metric.check()
    scoring = TaskScoring(metric)
    scoring.add(
        AnsweredInstance(str(index), Outcome.ANSWERED, "", "media", label, files=(str(path),), prompt=prompt)
        for index, (path, label) in enumerate(zip(answers, labels, strict=True))
    )
    found = scoring.finish()
    assert found.note == ""
    return found, scoring.provenance()


def test_clip_scores_are_the_librarys_cosines(clip: Path, tmp_path: Path) -> None:
    import torch
    from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

    found = pictures(20)
    texts = [f"a {'very ' * index}red fox" for index in range(20)]
    outcome, provenance = score(
        PictureTextSimilarity(Networks({"clip": str(clip)})), saved(tmp_path, "p", found), [{"caption": text} for text in texts]
    )
    model = CLIPModel.from_pretrained(clip).eval()
    tokens = CLIPTokenizer.from_pretrained(clip)
    processor = CLIPImageProcessor.from_pretrained(clip)
    cosines = []
    with torch.inference_mode():
        for picture, text in zip(found, texts, strict=True):
            inputs = {
                **processor(Image.fromarray(picture), return_tensors="pt"),
                **tokens(text, return_tensors="pt", truncation=True, max_length=77),
            }
            result = model(**inputs)
            cosines.append(max(0.0, float((result.image_embeds * result.text_embeds).sum())))
    assert outcome.score == pytest.approx(100.0 * np.mean(cosines), abs=1e-3)
    assert provenance.startswith(f"clip: {clip.name}, sha256 ")


def test_dino_consistency_runs_from_frames_to_score(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"dino": str(toys.vit(tmp_path / "vit"))})
    noise = pictures(1)[0]
    still, changing = video(tmp_path, "still", [noise] * 5), video(tmp_path, "changing", [*pictures(5, 3)[:1], *pictures(5, 4)[:1]])
    outcome, _ = score(FrameConsistency("dino_score", networks), [still], [None])
    assert outcome.score == pytest.approx(100.0, abs=1e-4)
    outcome, _ = score(FrameConsistency("dino_score", networks), [changing], [None])
    assert outcome.score is not None
    assert 0.0 < outcome.score < 100.0


def test_fid_is_that_of_torchmetrics_over_the_same_features(toys: Any, tmp_path: Path) -> None:
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Wide(torch.nn.Module):
        def forward(self, batch: Any) -> Any:
            return toys.Plain()(batch).to(torch.float64)

    network = toys.script(toys.Plain(), tmp_path / "inception.pt")
    given, wanted = pictures(40, 1), pictures(40, 2)
    labels = [{"file": str(path)} for path in saved(tmp_path, "w", wanted)]
    outcome, _ = score(PictureDistance(Networks({"inception": str(network)})), saved(tmp_path, "g", given), labels)
    oracle = FrechetInceptionDistance(feature=Wide(), input_img_size=(3, 20, 31))
    oracle.set_dtype(torch.float64)
    for side, real in ((given, False), (wanted, True)):
        for picture in side:
            oracle.update(torch.from_numpy(picture).permute(2, 0, 1)[None], real=real)
    assert outcome.score == pytest.approx(float(oracle.compute()), rel=1e-3, abs=1e-6)
    assert outcome.standard_error is not None


@pytest.mark.parametrize(("rows", "columns"), [(300, 20), (600, 128), (30, 64)])
def test_the_frechet_distance_is_torchmetrics(rows: int, columns: int) -> None:
    import torch
    from torchmetrics.image.fid import _compute_fid

    generator = np.random.default_rng(rows)
    first = generator.normal(size=(rows, columns)) * generator.uniform(0.1, 2.0, columns)
    second = generator.normal(0.3, 1.0, size=(rows + 50, columns))
    sides = [(torch.tensor(part.mean(0)), torch.tensor(np.cov(part, rowvar=False))) for part in (first, second)]
    assert frechet_distance(first, second) == pytest.approx(float(_compute_fid(*sides[0], *sides[1])), rel=1e-6)


def test_inception_of_torch_fidelity_gives_its_features_and_runs_no_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    import torch
    from torch_fidelity import feature_extractor_inceptionv3 as published

    torch.manual_seed(0)
    with monkeypatch.context() as patched:  # the architecture needs some weights to begin with: none yet
        patched.setattr(published.FeatureExtractorInceptionV3, "load_state_dict", lambda self, weights: None)
        patched.setattr(published, "load_state_dict_from_url", lambda *_a, **_k: {})
        network = published.FeatureExtractorInceptionV3("inception", ["2048"])
    weights = tmp_path / "inception.pth"
    torch.save(network.state_dict(), weights)
    found = pictures(3)
    features = Networks({"inception": str(weights)}).load("inception").features(found)
    assert features.shape == (3, 2048)
    with torch.inference_mode():
        single = network(torch.from_numpy(found[1]).permute(2, 0, 1)[None])[0]
    assert np.allclose(features[1], single[0].numpy(), rtol=1e-4, atol=1e-5)

    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"weights": Evil()}, weights)
    with pytest.raises(NetworkUnavailable, match=r"inception\.pth cannot be read as torch_fidelity"):
        Networks({"inception": str(weights)}).load("inception")
    weights.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(NetworkUnavailable, match=r"inception\.pth cannot be read"):
        Networks({"inception": str(weights)}).load("inception")
    assert not (tmp_path / "ran").exists()


def test_a_detector_that_is_called_for_features_is_asked_for_them(toys: Any, tmp_path: Path) -> None:
    network = toys.script(toys.WithReturnFeatures(), tmp_path / "inception.pt")
    assert Networks({"inception": str(network)}).load("inception").features(pictures(2)).shape == (2, 3)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_the_aesthetic_head_is_linear_on_unit_vectors(toys: Any, clip: Path, tmp_path: Path, suffix: str) -> None:
    import torch
    from safetensors.torch import save_file

    head = torch.nn.Linear(8, 1)
    path = tmp_path / f"head.{suffix}"
    if suffix == "pth":
        torch.save(head.state_dict(), path)
    else:
        save_file(head.state_dict(), path)
    networks = Networks({"aesthetic_head": str(path), "clip_large": str(clip)})
    vectors = networks.load("clip_large").pictures(pictures(4))
    with torch.inference_mode():
        wanted = head(torch.from_numpy(vectors))[:, 0].numpy()
    assert np.allclose(networks.load("aesthetic_head").scores(pictures(4)), wanted, atol=1e-5)
    outcome, provenance = score(FrameScores("aesthetic_score", networks), saved(tmp_path, "p", pictures(4)), [None] * 4)
    assert outcome.score == pytest.approx(100.0 * np.clip(wanted / 10.0, 0.0, 1.0).mean(), abs=1e-4)
    assert "aesthetic_head: head" in provenance
    assert "; clip_large: " in provenance
    wide = toys.clip(tmp_path / "wide", 12)
    with pytest.raises(NetworkUnavailable, match="it takes 8 numbers, and the clip_large network gives 12"):
        Networks({"aesthetic_head": str(path), "clip_large": str(wide)}).load("aesthetic_head")


def test_musiq_scores_each_frame_at_its_own_size(toys: Any, tmp_path: Path) -> None:
    network = toys.script(toys.Score(), tmp_path / "musiq.pt")
    frames = [np.full((30, 700, 3), 51, np.uint8), np.full((30, 700, 3), 153, np.uint8)]
    outcome, _ = score(FrameScores("musiq", Networks({"musiq": str(network)})), [video(tmp_path, "v", frames)], [None])
    assert outcome.score == pytest.approx(40.0, abs=1e-3)


@pytest.mark.parametrize("kind", ["owl", "grounding"])
def test_open_vocabulary_detectors_find_only_what_they_are_asked_for(toys: Any, tmp_path: Path, kind: str) -> None:
    networks = Networks({"detector": str(getattr(toys, kind)(tmp_path / kind))})
    found = networks.load("detector").find(pictures(3), ["cat", "dog"])
    assert len(found) == 3
    seen = [entry for listed in found for entry in listed]
    assert {entry.name for entry in seen} <= {"cat", "dog"}
    assert all(entry.score >= 0.25 for entry in seen)
    assert seen or kind == "grounding"  # random weights: OWL-ViT's find everything
    outcome, _ = score(SubjectsFound(networks), [video(tmp_path, "v", pictures(1) * 3)], [None], "a cat and a dog")
    assert outcome.score in (0.0, 100.0)  # all frames are alike


@pytest.mark.parametrize("form", ["VideoPlain", "VideoScaling"])
def test_fvd_shows_16_frames_as_its_network_wants_them(toys: Any, tmp_path: Path, form: str) -> None:
    networks = Networks({"i3d": str(toys.script(getattr(toys, form)(), tmp_path / "i3d.pt"))})
    clips = [np.full((5, 12, 16, 3), value, np.uint8) for value in (0, 255)]
    features = networks.load("i3d").features(clips)
    assert np.allclose(features, [[-1, -1, -1, 0, 0, 0], [1, 1, 1, 0, 0, 0]], atol=1e-3)
    given = [video(tmp_path, f"g{index}", pictures(4, index)[:1] * 3) for index in range(6)]
    labels = [{"file": str(video(tmp_path, f"w{index}", pictures(4, index + 50)[:1] * 4))} for index in range(6)]
    outcome, _ = score(VideoDistance(networks), given, labels)
    assert outcome.score is not None
    assert outcome.score > 0.0
    same, _ = score(VideoDistance(networks), [Path(label["file"]) for label in labels], labels)
    assert same.score == pytest.approx(0.0, abs=1e-9)


def test_viclip_takes_clips_tokens_filled_with_zeros(toys: Any, clip: Path, tmp_path: Path) -> None:
    networks = Networks({"viclip": str(toys.script(toys.VideoText(), tmp_path / "viclip.pt")), "clip": str(clip)})
    network = networks.load("viclip")
    texts = network.texts(["a dog", "abc"])
    # A start, four letters and an end; a start, three letters and an end: what follows is 0.
    assert texts[:, 1] / texts[:, 0] == pytest.approx([6.0, 5.0], rel=1e-4)
    assert network.clips([np.zeros((3, 20, 30, 3), np.uint8)]).shape == (1, 2)
    outcome, provenance = score(VideoTextSimilarity(networks), [video(tmp_path, "v", pictures(1) * 3)], [None], "a dog")
    assert outcome.score is not None
    assert 0.0 <= outcome.score <= 100.0
    assert "viclip: viclip.pt, sha256" in provenance


@pytest.mark.parametrize(("bias", "wanted"), [([9.0, 0.0, 0.0], 100.0), ([0.0, 9.0, 0.0], 0.0), ([0.5, 0.0, 0.0], 0.0)])
def test_an_action_succeeds_where_the_classifier_is_sure_of_it(toys: Any, tmp_path: Path, bias: list[float], wanted: float) -> None:
    networks = Networks({"action_classifier": str(toys.video_classifier(tmp_path / "classifier", bias))})
    outcome, _ = score(ActionShown(networks), [video(tmp_path, "v", pictures(1) * 6)], [{"action": "Playing guitar"}])
    assert outcome.score == wanted


def test_a_picture_keeps_its_class_among_fifty(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"picture_classifier": str(toys.picture_classifier(tmp_path / "classifier", 60))})
    made, shown = saved(tmp_path, "p", pictures(2, 7))
    shares = networks.load("picture_classifier").shares(pictures(2, 7))
    assert shares.shape == (2, 60)
    assert shares.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    right = shares[1].argmax()
    # Drawn, as the source does it.
    generator, others = np.random.default_rng(0), np.delete(np.arange(60), right)
    drawn = [shares[0][right] > shares[0][generator.choice(others, 49, replace=False)].max() for _draw in range(4000)]
    outcome, provenance = score(PictureClass(networks), [made], [{"file": str(shown)}])
    assert outcome.score == pytest.approx(100.0 * np.mean(drawn), abs=2.5)
    assert score(PictureClass(networks), [shown], [{"file": str(shown)}])[0].score == 100.0
    assert "picture_classifier: classifier, sha256" in provenance


@pytest.mark.parametrize("size", ["small", "large"])
def test_raft_runs_at_any_size_and_its_size_is_told_from_the_weights(tmp_path: Path, size: str) -> None:
    import torch
    from torchvision.models import optical_flow

    torch.manual_seed(0)
    weights = tmp_path / "raft.pth"
    torch.save(getattr(optical_flow, f"raft_{size}")(weights=None).state_dict(), weights)
    flow = Networks({"raft": str(weights)}).load("raft").flow(*pictures(5)[::4])
    assert flow.shape == (20, 31, 2)
    assert np.isfinite(flow).all()


def test_raft_sees_large_frames_smaller_and_tells_flow_in_their_own_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from torchvision.models.optical_flow import raft_small

    torch.save(raft_small(weights=None).state_dict(), tmp_path / "raft.pth")
    network = Networks({"raft": str(tmp_path / "raft.pth")}).load("raft")
    seen = []

    def moved(first: Any, second: Any, num_flow_updates: int) -> list[Any]:
        seen.append(tuple(first.shape[-2:]))
        return [torch.ones(1, 2, *first.shape[-2:])]

    monkeypatch.setattr(network, "_net", moved)
    monkeypatch.setattr("scorer.models.video.MOST_FLOW_PIXELS", 200 * 300)
    flow = network.flow(*np.zeros((2, 400, 600, 3), np.uint8))
    assert seen == [(200, 304)]
    assert flow.shape == (400, 600, 2)
    assert np.allclose(flow, 2.0)  # a pixel in half the size is two


def test_image_to_video_is_the_mean_of_its_four_parts(toys: Any, clip: Path, tmp_path: Path) -> None:
    import torch
    from torchvision.models.optical_flow import raft_small

    torch.save(raft_small(weights=None).state_dict(), tmp_path / "raft.pth")
    named = {
        "dino": toys.vit(tmp_path / "vit"),
        "viclip": toys.script(toys.VideoText(), tmp_path / "viclip.pt"),
        "clip": clip,
        "raft": tmp_path / "raft.pth",
        "interpolator": toys.script(toys.Middle(), tmp_path / "middle.pt"),
    }
    networks = Networks({name: str(path) for name, path in named.items()})
    answer = video(tmp_path, "v", [np.full((20, 31, 3), 10 * index, np.uint8) for index in range(3)])
    outcome, provenance = score(ImageToVideo(networks), [answer], [None], "a dog")
    summed, _ = score(ImageToVideo(networks, official=True), [answer], [None], "a dog")
    parts = [
        score(metric, [answer], [None], "a dog")[0].score
        for metric in (FrameConsistency("dino_score", networks), VideoTextSimilarity(networks), MovingVideos(networks))
    ]
    smooth = 100.0  # what grows evenly is halfway in between
    total = sum(part for part in parts if part is not None) + smooth
    assert outcome.score == pytest.approx(total / 4.0, abs=1e-4)
    assert summed.score == pytest.approx(total, abs=1e-3)
    assert provenance.count("sha256") == 5


def test_motions_of_different_lengths_are_measured_one_by_one(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"motion": str(toys.script(toys.Motion(), tmp_path / "motion.pt"))})
    paths = [tmp_path / f"{index}.npy" for index in range(8)]
    for index, path in enumerate(paths):
        np.save(path, np.random.default_rng(index).normal(size=(3 + index, 5)))
    labels = [{"file": str(path)} for path in paths]
    assert score(MotionDistance(networks), paths, labels)[0].score == pytest.approx(0.0, abs=1e-9)
    shifted = score(MotionDistance(networks), paths[::-1], labels)[0].score
    assert shifted == pytest.approx(0.0, abs=1e-6)  # a distance of sets: who belongs to whom does not count


def test_fad_shows_log_mel_examples(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"vggish": str(toys.script(toys.LogMel(), tmp_path / "vggish.pt"))})
    assert networks.load("vggish").features(np.zeros(16_000 * 3)).shape == (3, 4)
    files = [say(tmp_path, f"number {word}") for word in ("one", "two", "three")]
    labels = [{"file": str(path)} for path in files]
    outcome, _ = score(AudioDistance(networks), files, labels)
    assert outcome.score == pytest.approx(0.0, abs=1e-9)
    assert AudioDistance(networks).worst(Question("media", labels[0]))["answer"][0] == 10  # of 10 s of silence


def test_clap_gives_a_sound_one_embedding_however_long_it_is(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"clap": str(toys.clap(tmp_path / "clap"))})
    network = networks.load("clap")
    long = np.random.default_rng(0).normal(size=network.rate * 5) * 0.1
    first, again = network.sounds([long]), network.sounds([long])
    assert np.array_equal(first, again)
    assert np.allclose((first**2).sum(axis=1), 1.0, atol=1e-5)
    assert np.allclose(first, network.sounds([long[int(1.5 * network.rate) : int(3.5 * network.rate)]]), atol=1e-4)  # 2 s of its middle
    outcome, _ = score(SoundTextSimilarity("clap", networks), [say(tmp_path, "hello")], [{"caption": "a man says hello"}])
    assert outcome.score is not None
    assert 0.0 <= outcome.score <= 100.0


def test_whisper_transcribes_without_special_tokens_and_alike_each_time(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"recogniser": str(toys.whisper(tmp_path / "whisper"))})
    network = networks.load("recogniser")
    sound = np.random.default_rng(0).normal(size=40_000) * 0.1
    assert network.transcribe(sound) == network.transcribe(sound, "en")
    assert "<|" not in network.transcribe(sound)
    outcome, _ = score(SpokenText(WordErrorRate(), networks), [say(tmp_path, "hello")], [{"transcript": "hello"}])
    assert outcome.score is not None


def say(folder: Path, text: str) -> Path:
    """The text as speech of eSpeak NG, in a file."""
    path = folder / f"{text.replace(' ', '-')}.wav"
    subprocess.run([sys.executable, HERE / "speak.py", text, path], check=True, timeout=60, capture_output=True)
    return path


def test_word_errors_of_real_speech_by_a_real_recogniser(tmp_path: Path) -> None:
    networks = Networks({"recogniser": "pocketsphinx"})
    path = say(tmp_path, SENTENCE)
    right, provenance = score(SpokenText(WordErrorRate(), networks), [path], [{"transcript": SENTENCE}])
    wrong, _ = score(SpokenText(WordErrorRate(), networks), [path], [{"transcript": "put seven green bottles under her chair"}])
    assert right.score is not None
    assert wrong.score is not None
    assert right.score <= 30.0  # it hears "and so yesterday"
    assert wrong.score >= 85.0
    assert provenance.startswith("recogniser: pocketsphinx 5")


def test_predicted_opinions_are_speechmos_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """speechmos computes its spectrograms, for another model, by librosa: a stand-in leaves this one's values as they are."""
    from scorer.media.audio import read_audio

    librosa = types.ModuleType("librosa")
    librosa.feature = types.SimpleNamespace(melspectrogram=lambda **_named: np.zeros((120, 900)))  # type: ignore[attr-defined]
    librosa.power_to_db = lambda power, ref: power  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "librosa", librosa)
    from speechmos import dnsmos

    networks = Networks()
    network = networks.load("dnsmos")
    path = say(tmp_path, SENTENCE)
    speech = np.tile(read_audio(path, network.rate)[0], 9)
    for samples in (speech[: 16_000 * 11], speech[:100_000]):
        assert network.opinion(samples) == pytest.approx(float(dnsmos.run(samples.astype(np.float32), 16_000)["ovrl_mos"]), abs=1e-6)
    clean = speech[:144_160]
    noisy = np.clip(clean + np.random.default_rng(0).normal(size=len(clean)) * 0.1, -1.0, 1.0)
    assert network.opinion(noisy) < network.opinion(clean) - 0.5
    outcome, provenance = score(PredictedOpinion("dnsmos", networks), [path], [None])
    assert outcome.score == pytest.approx(network.opinion(read_audio(path, network.rate)[0]), abs=1e-6)
    assert provenance.startswith("dnsmos: sig_bak_ovr.onnx, sha256 269fbebdb513aa23")


def test_utmos_is_read_from_torchscript(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"utmos": str(toys.script(toys.Opinion(), tmp_path / "utmos.pt"))})
    assert networks.load("utmos").opinion(np.full(16_000, 0.5)) == pytest.approx(3.0)


def test_a_network_that_fails_on_everything_leaves_the_task_unscored(toys: Any, tmp_path: Path) -> None:
    networks = Networks({"inception": str(toys.script(toys.Broken(), tmp_path / "inception.pt"))})
    scoring = TaskScoring(PictureDistance(networks))
    paths = saved(tmp_path, "p", pictures(3))
    for path in paths:
        scoring.add([AnsweredInstance(path.stem, Outcome.ANSWERED, "", "media", {"file": str(path)}, files=(str(path),))])
    found = scoring.finish()
    assert found.score is None
    assert found.note.startswith("not scored: the inception network fails on what it is shown: ")
    assert "\n" not in found.note


def test_files_that_are_no_networks_are_said_to_be_none(tmp_path: Path) -> None:
    for name in ("i3d", "vggish", "motion", "raft", "musiq", "aesthetic_head", "interpolator", "utmos"):
        file = tmp_path / f"{name}.pt"
        file.write_bytes(b"nothing that was ever a network")
        with pytest.raises(NetworkUnavailable, match=rf"{name}\.pt cannot be read as (torch|a state dict)"):
            Networks({name: str(file), "clip_large": str(file)}).load(name)
    for name in ("clip", "dino", "picture_classifier", "clap", "detector", "action_classifier", "recogniser"):
        empty = tmp_path / name
        empty.mkdir()
        with pytest.raises(NetworkUnavailable, match=rf"{name} cannot be read as transformers"):
            Networks({name: str(empty)}).load(name)
    with pytest.raises(MetricUnavailable, match="cannot be read as torchscript"):
        VideoDistance(Networks({"i3d": str(tmp_path / "i3d.pt")})).worst(Question("media", None))
