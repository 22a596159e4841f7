"""Metrics of networks over the networks' twins: what counts, what is unparsable, what is not scored, and what the mathematics says."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import linalg

from scorer.metrics import Metric, MetricUnavailable, NotComparable, Question, UnreadableAnswer
from scorer.metrics.learned.base import AT_ONCE
from scorer.metrics.learned.distances import AudioDistance, MotionDistance, PictureDistance, VideoDistance
from scorer.metrics.learned.frames import FrameAccuracy, FrameConsistency
from scorer.metrics.learned.frechet import frechet_distance, frechet_with_influences, packed, unpacked
from scorer.metrics.learned.inputs import clip, description, looked_at, views
from scorer.metrics.learned.similarity import PictureSimilarity, PictureTextSimilarity
from scorer.metrics.learned.speech import PredictedOpinion, SpokenText
from scorer.metrics.learned.video import MovingVideos, subjects
from scorer.metrics.text.wer import WordErrorRate
from scorer.models import Networks
from scorer.models.twins import Pictures, Twins
from scorer.models.vggish_input import log_mel_examples
from scorer.parsers import Structured
from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskOutcome, TaskScoring

TWINS = Twins()


def answer(*paths: Path | str) -> Structured:
    return Structured([{"file": str(path)} for path in paths])


def plain(folder: Path, name: str, colour: tuple[int, int, int]) -> Path:
    path = folder / f"{name}.png"
    Image.new("RGB", (8, 6), colour).save(path)
    return path


def movie(folder: Path, name: str, greys: list[int]) -> Path:
    path = folder / name
    path.mkdir()
    for index, grey in enumerate(greys):
        Image.new("RGB", (8, 8), (grey, grey, grey)).save(path / f"{index}.png")
    return path


def sound(folder: Path, name: str, levels: list[float]) -> Path:
    path = folder / f"{name}.wav"
    samples = np.concatenate([np.full(800, level) for level in levels] or [np.zeros(0)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def scored(metric: Metric[Any], *instances: AnsweredInstance) -> tuple[TaskOutcome, TaskScoring]:
    scoring = TaskScoring(metric)
    scoring.add(instances)
    return scoring.finish(), scoring


def media(key: str, path: Path | None, label: Any, prompt: str = "", outcome: Outcome = Outcome.ANSWERED) -> AnsweredInstance:
    return AnsweredInstance(key, outcome, "", "media", label, files=(str(path),) if path else (), prompt=prompt)


matrices = st.tuples(st.integers(2, 12), st.integers(2, 12), st.integers(1, 6), st.integers(0, 2**32 - 1))


@settings(max_examples=60)
@given(matrices)
def test_the_frechet_distance_is_that_of_the_matrix_square_root(case: tuple[int, int, int, int]) -> None:
    rows, others, columns, seed = case
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(rows, columns)), generator.normal(1.0, 2.0, size=(others, columns))
    covariances = [np.atleast_2d(np.cov(part, rowvar=False)) for part in (first, second)]
    # By eigenvalues of symmetric matrices, which stays exact where a covariance is singular.
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariances[1] @ root), 0.0)).sum()
    wanted = np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(covariances[0]) + np.trace(covariances[1]) - 2.0 * cross
    assert frechet_distance(first, second) == pytest.approx(max(0.0, wanted), rel=1e-6, abs=1e-6)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-9, abs=1e-9)
    assert frechet_distance(first, first[::-1]) == pytest.approx(0.0, abs=1e-9)


def test_the_frechet_distance_agrees_with_scipys_square_root_where_covariances_are_regular() -> None:
    generator = np.random.default_rng(4)
    first, second = generator.normal(size=(400, 16)), generator.normal(0.5, 1.5, size=(300, 16))
    covariances = [np.cov(part, rowvar=False) for part in (first, second)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    wanted = np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(covariances[0] + covariances[1] - 2.0 * root)
    assert frechet_distance(first, second) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_standard_error_of_a_frechet_distance_is_the_bootstraps(rows: int) -> None:
    """rows: of each instance, as sounds have several windows."""
    generator = np.random.default_rng(7)
    count = 150
    first = generator.normal(size=(count, 1, 5)) + 0.5 * generator.normal(size=(count, rows, 5))
    second = 0.8 * first + generator.normal(0.4, 0.6, size=first.shape)
    owners = np.repeat(np.arange(count), rows).tolist()
    distance, influences = frechet_with_influences(
        first.reshape(-1, 5), second.reshape(-1, 5), first_owners=owners, second_owners=owners, count=count
    )
    assert distance == frechet_distance(first.reshape(-1, 5), second.reshape(-1, 5))
    assert sum(influences) == pytest.approx(0.0, abs=1e-9)
    draws = []
    for _draw in range(400):
        chosen = generator.integers(0, count, count)
        draws.append(frechet_distance(first[chosen].reshape(-1, 5), second[chosen].reshape(-1, 5)))
    assert PictureDistance.delta_error(influences) == pytest.approx(np.std(draws), rel=0.15)


def test_instances_of_one_cluster_widen_a_distances_error() -> None:
    from genlevel.benchmark.answer_key import AnswerKey
    from genlevel.benchmark.model import TaskMetric
    from scorer.certify import evidence_from_statistics

    generator = np.random.default_rng(5)
    groups = [generator.normal(size=4) for _group in range(30)]
    rows: dict[str, Any] = {}
    for index in range(120):
        features = groups[index // 4] + 0.1 * generator.normal(size=4)
        rows[f"{index:03}"] = {"answer": packed(features[None]), "label": packed(features[None] * 0.7 + 0.3)}
    statistics = {AnswerKey(key): (Outcome.ANSWERED, row) for key, row in rows.items()}
    alone = evidence_from_statistics(TaskMetric("fid", "FID"), statistics)
    together = evidence_from_statistics(TaskMetric("fid", "FID"), statistics, {AnswerKey(key): int(key) // 4 for key in rows})
    assert alone is not None
    assert together is not None
    assert alone.low.value == together.low.value
    assert alone.low.standard_error == pytest.approx(PictureDistance(TWINS).compute(sorted(rows.items())).standard_error)
    assert (together.low.units, together.low.clustered) == (30, True)
    draws = []
    for _draw in range(300):
        chosen = [f"{4 * group + part:03}" for group in generator.integers(0, 30, 30) for part in range(4)]
        draws.append(PictureDistance(TWINS).compute([(str(index), rows[key]) for index, key in enumerate(chosen)]).score)
    assert together.low.standard_error == pytest.approx(np.std(draws), rel=0.25)
    assert together.low.standard_error > 1.5 * (alone.low.standard_error or 0.0)


def test_features_are_kept_as_they_are_and_never_without_numbers() -> None:
    features = np.random.default_rng(1).normal(size=(3, 7)).astype(np.float32)
    assert np.array_equal(unpacked(packed(features)), features)
    with pytest.raises(ValueError, match="not finite"):
        packed(np.array([[math.nan]]))


def test_fid_is_the_distance_of_all_answers_features_from_all_labels(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    colours = generator.integers(0, 256, (12, 2, 3))
    files = [[plain(tmp_path, f"{side}{index}", tuple(colour[side])) for side in (0, 1)] for index, colour in enumerate(colours)]
    outcome, scoring = scored(
        PictureDistance(TWINS), *(media(str(index), given, [{"file": str(wanted)}]) for index, (given, wanted) in enumerate(files))
    )
    features = [Pictures().features([np.asarray(Image.open(pair[side])) for pair in files]) for side in (0, 1)]
    assert outcome.score == pytest.approx(frechet_distance(*features), rel=1e-6)
    assert outcome.standard_error is not None
    assert scoring.provenance() == f"inception: twin, sha256 {'0' * 64}"


def test_what_is_refused_counts_as_the_trivial_picture_not_as_nothing(tmp_path: Path) -> None:
    label = [{"file": str(plain(tmp_path, "label", (250, 10, 10)))}]
    grey = plain(tmp_path, "grey", (128, 128, 128))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG but no picture")
    said, _ = scored(PictureDistance(TWINS), media("a", grey, label), media("b", grey, label))
    for instance in (media("a", None, label, outcome=Outcome.REFUSED), media("a", broken, label)):
        outcome, _ = scored(PictureDistance(TWINS), instance, media("b", grey, label))
        assert outcome.score == pytest.approx(said.score)
    assert outcome.counts[Outcome.UNPARSABLE] == 1
    assert outcome.unparsable_ids == ("a",)


def test_an_instance_that_failed_leaves_bounds_between_the_trivial_answer_and_the_label(tmp_path: Path) -> None:
    label = [{"file": str(plain(tmp_path, "label", (250, 10, 10)))}]
    outcome, _ = scored(
        PictureDistance(TWINS), media("a", None, label, outcome=Outcome.FAILED), media("b", plain(tmp_path, "b", (200, 40, 10)), label)
    )
    assert outcome.score is None
    assert outcome.lower is not None
    assert outcome.upper is not None
    assert 0.0 < outcome.lower < outcome.upper


def test_a_label_that_cannot_be_read_leaves_the_task_unscored_and_is_named(tmp_path: Path) -> None:
    given = plain(tmp_path, "given", (1, 2, 3))
    outcome, _ = scored(PictureDistance(TWINS), media("a", given, [{"file": str(tmp_path / "gone.png")}]))
    assert outcome.score is None
    assert "not scored: instance 'a': the label's file cannot be read" in outcome.note
    assert "gone.png" in outcome.note
    nothing, _ = scored(PictureDistance(TWINS), media("a", given, None))
    assert nothing.note == "not scored: instance 'a': has no label (closed set)"


class Unusable(Twins):
    """Weights are where they should be, and turn out to be something else."""

    def load(self, name: str) -> Any:
        from scorer.models import NetworkUnavailable

        raise NetworkUnavailable("the weights x cannot be read")


def test_weights_that_cannot_be_used_leave_the_task_unscored_never_0(tmp_path: Path) -> None:
    label = [{"file": str(plain(tmp_path, "label", (250, 10, 10)))}]
    for outcome in (Outcome.ANSWERED, Outcome.REFUSED, Outcome.FAILED):
        found, scoring = scored(
            PictureDistance(Unusable()), *(media(str(index), Path(label[0]["file"]), label, outcome=outcome) for index in range(40))
        )
        assert (found.score, found.lower, found.note) == (None, None, "not scored: the weights x cannot be read")
        assert found.counts[outcome] == 40
        assert scoring.provenance() == ""


def test_many_at_once_are_measured_as_one_by_one_and_in_few_calls(tmp_path: Path) -> None:
    calls: list[int] = []

    class Counting(Pictures):
        def pictures(self, pictures: Any) -> Any:
            calls.append(len(pictures))
            return super().pictures(pictures)

    class Counted(Twins):
        def load(self, name: str) -> Any:
            return Counting()

    pairs: list[tuple[Any, Question]] = [
        (answer(plain(tmp_path, str(index), (index * 5, 90, 255 - index * 5))), Question("media", None, prompt="a red one"))
        for index in range(40)
    ]
    pairs[7] = (answer(tmp_path / "missing.png"), pairs[7][1])
    pairs[20] = (answer(), pairs[20][1])
    pairs[30] = ("text", pairs[30][1])
    found = PictureTextSimilarity(Counted()).statistics_many(pairs)
    assert calls == [AT_ONCE, AT_ONCE, 37 - 2 * AT_ONCE]
    single = PictureTextSimilarity(TWINS)
    for index, (entry, question) in enumerate(pairs):
        if index in (7, 20, 30):
            assert isinstance(found[index], NotComparable if index == 30 else UnreadableAnswer)
        else:
            assert found[index] == pytest.approx(single.statistic(entry, question), abs=1e-6)


def test_one_answer_that_a_network_cannot_take_is_unreadable_and_no_others(tmp_path: Path) -> None:
    class Picky(Pictures):
        def pictures(self, pictures: Any) -> Any:
            if any(picture[0, 0, 2] == 255 for picture in pictures):
                raise RuntimeError("shapes cannot be multiplied")
            return super().pictures(pictures)

    class Picked(Twins):
        def load(self, name: str) -> Any:
            return Picky()

    question = Question("media", None, prompt="a red one")
    good, bad = plain(tmp_path, "good", (255, 0, 0)), plain(tmp_path, "bad", (0, 0, 255))
    metric = PictureTextSimilarity(Picked())
    found = metric.statistics_many([(answer(path), question) for path in (good, bad, good)])
    assert found[0] == found[2] == pytest.approx(1.0)
    assert isinstance(found[1], UnreadableAnswer)
    with pytest.raises(MetricUnavailable, match=r"^the clip network fails on what it is shown: shapes cannot be multiplied$"):
        metric.statistics_many([(answer(bad), question)] * 3)


def test_large_media_are_not_all_in_memory_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr("scorer.metrics.learned.base.MOST_BYTES", 3 * 8 * 6 * 2)  # two such pictures
    monkeypatch.setattr(PictureTextSimilarity, "measured", lambda self, entries: calls.append(len(entries)) or [0.5] * len(entries))
    path = plain(tmp_path, "one", (255, 0, 0))
    found = PictureTextSimilarity(TWINS).statistics_many([(answer(path), Question("media", None, prompt="a red one"))] * 5)
    assert (found, calls) == ([0.5] * 5, [2, 2, 1])


def test_the_text_is_the_labels_or_the_details_or_else_what_was_asked() -> None:
    assert description(Question("media", {"caption": "a fox", "image": {"file": "/x.png"}}, prompt="draw")) == "a fox"
    assert description(Question("media", [{"file": "/x.png"}], prompt="draw a dog")) == "draw a dog"
    assert description(Question("media", None, prompt="draw a dog", details={"text": "a dog"})) == "a dog"
    assert description(Question("long_text", ["a cat"], prompt="draw")) == "a cat"
    assert description(Question("media", None, prompt="style: oil\n\ncaption: a cat\n\nPaint it.")) == "a cat"
    with pytest.raises(NotComparable, match="no text says"):
        description(Question("media", [{"file": "/x.png"}]))


def test_clip_scores_of_pictures_take_the_nearest_reference_and_of_shapes_every_side(tmp_path: Path) -> None:
    red, green = plain(tmp_path, "red", (255, 0, 0)), plain(tmp_path, "green", (0, 255, 0))
    metric = PictureSimilarity("clip_image_score", TWINS)
    assert metric.statistic(answer(red), Question("media", [{"file": str(green)}])) == pytest.approx(0.0)
    assert metric.statistic(answer(red), Question("media", [{"file": str(green)}, {"file": str(red)}])) == pytest.approx(1.0)
    cube = tmp_path / "cube.obj"
    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    quads = [(1, 2, 4, 3), (5, 6, 8, 7), (1, 2, 6, 5), (3, 4, 8, 7), (1, 3, 7, 5), (2, 4, 8, 6)]
    lines = [f"v {x} {y} {z}" for x, y, z in corners] + [f"f {a} {b} {c}\nf {a} {c} {d}" for a, b, c, d in quads]
    cube.write_text("\n".join(lines) + "\n")
    sides = views(str(cube))
    assert [side.shape for side in sides] == [(224, 224, 3)] * 8
    assert all(0.1 < (side < 255).mean() < 0.9 for side in sides)
    # A cube looks alike from every quarter turn.
    assert np.abs(sides[0].astype(int) - sides[2]).mean() < 3.0
    # Answers in 3D are held against the picture that was asked about where the label has none.
    score = metric.statistic(answer(cube), Question("media", {"file": str(cube)}, inputs=(str(red),)))
    grey = np.ones(3) / math.sqrt(3.0)
    assert score == pytest.approx(float(grey[0]), abs=1e-3)


def test_a_still_video_is_consistent_and_one_frame_is_no_video(tmp_path: Path) -> None:
    metric = FrameConsistency("dino_score", TWINS)
    assert metric.statistic(answer(movie(tmp_path, "still", [90] * 4)), Question("media", None)) == pytest.approx(1.0)
    with pytest.raises(UnreadableAnswer, match="one frame"):
        metric.statistic(answer(movie(tmp_path, "single", [90])), Question("media", None))


def test_videos_that_brighten_enough_move(tmp_path: Path) -> None:
    metric = MovingVideos(TWINS)  # its twin takes what grows brighter for what moves: more than 6 * 8 / 256 pixels
    assert metric.statistic(answer(movie(tmp_path, "moving", [10, 20, 30, 40])), Question("media", None)) == 1.0
    assert metric.statistic(answer(movie(tmp_path, "still", [10, 10, 10, 10])), Question("media", None)) == 0.0
    assert metric.statistic(answer(movie(tmp_path, "single", [10])), Question("media", None)) == 0.0


def test_frames_are_spread_evenly_and_none_is_shown_twice(tmp_path: Path) -> None:
    path = movie(tmp_path, "long", list(range(0, 200, 5)))
    assert [int(frame[0, 0, 0]) for frame in clip(str(path), 5)] == [0, 50, 100, 145, 195]
    assert len(clip(str(path), 400)) == 40


def test_strips_are_no_pictures_and_large_ones_are_made_smaller(tmp_path: Path) -> None:
    strip = tmp_path / "strip.png"
    Image.new("RGB", (70, 1)).save(strip)
    metric = PictureTextSimilarity(TWINS)
    with pytest.raises(UnreadableAnswer, match="a strip of 70 x 1 pixels"):
        metric.statistic(answer(strip), Question("media", None, prompt="red"))
    with pytest.raises(UnreadableAnswer, match="a strip"):
        FrameConsistency("dino_score", TWINS).statistic(answer(strip), Question("media", None))
    large = looked_at(np.full((3000, 2000, 3), 7, np.uint8))
    assert large.shape[0] * large.shape[1] <= 1920 * 1088
    assert large.shape[0] / large.shape[1] == pytest.approx(1.5, rel=1e-2)
    assert (large == 7).all()


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        (Question("media", {"objects": ["A dog", "the cat"]}), ["dog", "cat"]),
        (Question("media", {"class": "a red car"}), ["red car"]),
        (Question("media", None, prompt="A bicycle and a car."), ["bicycle", "car"]),
        (Question("items", ["boat", "gull"]), ["boat", "gull"]),
        (Question("media", None, details={"subjects": "a chair, a table"}), ["chair", "table"]),
    ],
)
def test_subjects_are_read_from_label_details_or_prompt(question: Question, wanted: list[str]) -> None:
    assert subjects(question) == wanted


def test_frame_accuracy_without_both_prompts_is_not_scored(tmp_path: Path) -> None:
    path = movie(tmp_path, "video", [1, 2])
    outcome, _ = scored(FrameAccuracy(TWINS), media("a", path, {"target_prompt": "x"}))
    assert outcome.note == "not scored: instance 'a': the label names no source_prompt and target_prompt to hold the frames against"


def test_speech_is_recognised_and_then_compared(tmp_path: Path) -> None:
    metric = SpokenText(WordErrorRate(), TWINS)
    said = sound(tmp_path, "said", [0.1, 0.2, 0.4])  # "one two four"
    assert metric.statistic(answer(said), Question("media", {"transcript": "one two three"})) == pytest.approx(1 / 3)
    # A label that is speech itself is heard too.
    label = sound(tmp_path, "label", [0.1, 0.2, 0.4, 0.4])
    assert metric.statistic(answer(said), Question("media", [{"file": str(label)}])) == pytest.approx(1 / 4)
    assert metric.worst(Question("media", {"text": "one two"})) == 1.0
    silent = sound(tmp_path, "silent", [0.0, 0.0])
    assert metric.statistic(answer(silent), Question("long_text", ["one two"])) == 1.0
    with pytest.raises(NotComparable, match="neither a transcript nor speech"):
        metric.statistic(answer(said), Question("media", {"id": 3}))


def test_predicted_opinions_are_a_mean_between_1_and_5(tmp_path: Path) -> None:
    files = [sound(tmp_path, name, [level] * 10) for name, level in (("quiet", 0.0), ("half", 0.5))]
    outcome, _ = scored(
        PredictedOpinion("dnsmos", TWINS),
        *(media(path.stem, path, None) for path in files),
        media("none", None, None, outcome=Outcome.REFUSED),
    )
    assert outcome.score == pytest.approx((1.0 + 3.0 + 1.0) / 3, abs=1e-3)


Make = Callable[[Networks], Metric[Any]]


@pytest.mark.parametrize("make", [VideoDistance, AudioDistance, MotionDistance])
def test_labels_as_answers_have_a_distance_of_0_and_the_trivial_ones_more(make: Make, tmp_path: Path) -> None:
    metric = make(TWINS)
    files = {
        "fvd": [movie(tmp_path, f"v{index}", [index * 20, 40, 60]) for index in range(3)],
        "fad": [sound(tmp_path, f"s{index}", [0.1 * index, 0.4, 0.6] * 4) for index in range(3)],
        "fid": [tmp_path / f"m{index}.npy" for index in range(3)],
    }[metric.id]
    if metric.id == "fid":
        for index, path in enumerate(files):
            np.save(path, np.random.default_rng(index).normal(size=(5, 4)))
    questions = [Question("media", [{"file": str(path)}]) for path in files]
    rows = [metric.statistic(answer(path), question) for path, question in zip(files, questions, strict=True)]
    assert metric.compute([(str(index), row) for index, row in enumerate(rows)]).score == pytest.approx(0.0, abs=1e-6)
    assert rows == [metric.best(question) for question in questions]
    assert metric.compute([(str(index), metric.worst(question)) for index, question in enumerate(questions)]).score > 1e-3


def test_motions_may_be_series_too() -> None:
    metric = MotionDistance(TWINS)
    question = Question("series", [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    assert metric.statistic(Structured(question.label), question) == metric.best(question)
    with pytest.raises(UnreadableAnswer, match="not a motion"):
        metric.statistic(Structured([[0.0], [1.0, 2.0]]), question)


def test_log_mel_examples_are_those_of_their_definition() -> None:
    """By loops, from the definition: windows of 400 every 160 samples, 64 triangles on the mel scale, ln(x + .01)."""
    generator = np.random.default_rng(0)
    samples = generator.normal(size=16_000) * 0.1
    found = log_mel_examples(samples)
    assert (found.shape, found.dtype) == ((1, 1, 96, 64), np.float32)

    def mel(hertz: float) -> float:
        return 1127.0 * math.log(1.0 + hertz / 700.0)

    edges = [mel(125.0) + (mel(7500.0) - mel(125.0)) * index / 65 for index in range(66)]
    for frame, band in ((0, 0), (17, 5), (40, 31), (95, 63)):
        window = [samples[160 * frame + index] * (0.5 - 0.5 * math.cos(2.0 * math.pi * index / 400)) for index in range(400)]
        spectrum = np.abs(np.fft.rfft(window, 512))
        total = 0.0
        for line in range(1, 257):
            place = mel(line * 16_000 / 512)
            rising, falling = (
                (place - edges[band]) / (edges[band + 1] - edges[band]),
                (edges[band + 2] - place) / (edges[band + 2] - edges[band + 1]),
            )
            total += spectrum[line] * max(0.0, min(rising, falling))
        assert found[0, 0, frame, band] == pytest.approx(math.log(total + 0.01), abs=1e-5)
    tone = log_mel_examples(0.5 * np.sin(2.0 * np.pi * 1000.0 * np.arange(32_000) / 16_000))
    assert tone.shape[0] == 2
    assert abs(edges[int(tone[0, 0].mean(axis=0).argmax()) + 1] - mel(1000.0)) < edges[1] - edges[0]
    assert log_mel_examples(np.zeros(10)).shape == (1, 1, 96, 64)


def test_unavailable_metrics_say_so_without_being_measured() -> None:
    with pytest.raises(MetricUnavailable, match=r"inception|needs"):
        PictureDistance(Networks({"inception": "/nowhere/at/all"})).check()
