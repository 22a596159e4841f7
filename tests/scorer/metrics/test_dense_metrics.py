"""Metrics of numbers, pictures, depth, flow, videos, sound, music and clouds agree with other implementations and hand-worked cases."""

from __future__ import annotations

import math
import runpy
import wave
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy import ndimage, signal
from scipy.spatial.distance import cdist
from statsmodels.tools import eval_measures

from scorer.metrics import Metric, NotComparable, Question, UnreadableAnswer, create
from scorer.metrics.signals.audio import consistency, event_accuracy
from scorer.metrics.signals.fields import angles, end_point_errors, lab
from scorer.metrics.signals.image_quality import SCALE_WEIGHTS, luma, ms_ssim, psnr
from scorer.metrics.signals.speech import RATE, distortion
from scorer.metrics.signals.three_d import chamfer
from scorer.metrics.signals.video_quality import shift
from scorer.parsers import Structured

GENERATOR = np.random.default_rng(11)
STATE = GENERATOR.bit_generator.state


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    """Each test draws the same numbers, whichever ran before it."""
    GENERATOR.bit_generator.state = STATE


def metric_of(metric_id: str, variant: str = "default", **parameters: str) -> Metric[Any]:
    metric = create(metric_id, parameters, variant)
    assert metric is not None
    return metric


def media(*paths: Path) -> Structured:
    return Structured([{"file": str(path)} for path in paths])


def about(*paths: Path, **details: str) -> Question:
    return Question("media", [{"file": str(path)} for path in paths], details=details)


def saved(path: Path, array: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path)
    return path


# Numbers and series


@pytest.mark.parametrize(
    ("metric_id", "oracle"),
    [("mae", eval_measures.meanabs), ("mse", eval_measures.mse), ("rmse", eval_measures.rmse), ("rms", eval_measures.rmse)],
)
def test_errors_of_numbers_are_those_of_statsmodels(metric_id: str, oracle: Any) -> None:
    metric = metric_of(metric_id, of="number")
    given_, wanted = GENERATOR.uniform(0, 500, 60), GENERATOR.integers(0, 500, 60)
    rows = [
        (str(index), metric.statistic(float(a), Question("number", [str(b)])))
        for index, (a, b) in enumerate(zip(given_, wanted, strict=True))
    ]
    assert metric.compute(rows).score == pytest.approx(float(oracle(given_, wanted)), rel=1e-12)


def test_a_number_is_held_against_the_nearest_label_and_refusing_is_counting_nothing() -> None:
    metric = metric_of("mae")
    question = Question("number", ["10", "12", "1,000"])
    assert metric.statistic(998.0, question) == [2.0]
    assert metric.worst(question) == [10.0]
    assert metric.best(question) == [0.0]
    with pytest.raises(NotComparable, match="not a number"):
        metric.statistic(1.0, Question("number", ["many"]))
    with pytest.raises(NotComparable, match="not numbers"):
        metric.statistic("12", Question("short_text", ["12"]))


def test_an_absurd_answer_leaves_the_score_finite() -> None:
    metric = metric_of("rmse")
    row = metric.statistic(1e308, Question("number", ["1"]))
    assert math.isfinite(metric.compute([("a", row), ("b", row)]).score)


def test_series_are_rooted_each_by_itself_and_lack_zeros_where_they_are_short() -> None:
    metric = metric_of("rmse", of="series")
    question = Question("series", [3.0, 4.0])
    rows = [("a", metric.statistic(Structured([0, 0, 99]), question)), ("b", metric.statistic(Structured([3]), question))]
    assert [row for _id, row in rows] == [[math.sqrt(12.5), 1.0], [math.sqrt(8), 1.0]]
    assert metric.compute(rows).score == pytest.approx((math.sqrt(12.5) + math.sqrt(8)) / 2)
    assert metric.worst(question) == [math.sqrt(12.5), 1.0]
    table = Question("series", [[1, 2], [3, 4]])
    assert metric.statistic(Structured([[1, 2], [3, 6]]), table) == [1.0, 1.0]
    with pytest.raises(UnreadableAnswer, match="3 numbers a row"):
        metric.statistic(Structured([[1, 2, 3], [3, 6, 3]]), table)


def test_the_error_of_a_root_agrees_with_a_bootstrap() -> None:
    metric = metric_of("rmse")
    rows = [[value] for value in GENERATOR.exponential(3.0, 200).tolist()]
    picks = GENERATOR.integers(0, 200, (800, 200))
    draws = [metric.compute([(str(index), rows[index]) for index in pick]).score for pick in picks]
    value = metric.compute([(str(index), row) for index, row in enumerate(rows)])
    assert value.standard_error == pytest.approx(float(np.std(draws)), rel=0.12)


def test_clustered_errors_are_in_the_metrics_own_unit() -> None:
    from genlevel.benchmark.answer_key import AnswerKey
    from genlevel.benchmark.catalogue import general_bench
    from scorer.certify import TaskEvidence
    from scorer.certify.measured import evidence_from_statistics
    from scorer.scoring.task_scoring import Outcome

    task = next(task for task in general_bench().tasks if task.metric.id == "mae")
    centres = GENERATOR.uniform(0, 900, 40)
    centred = [(AnswerKey(f"{cluster}-{copy}"), float(centre)) for cluster, centre in enumerate(centres) for copy in (0, 1)]
    statistics = {key: (Outcome.ANSWERED, [centre]) for key, centre in centred}
    evidence = evidence_from_statistics(task.metric, statistics, {key: key.instance.split("-")[0] for key in statistics})
    assert evidence is not None
    assert evidence.low.value == pytest.approx(float(centres.mean()))
    assert evidence.low.standard_error == pytest.approx(float(centres.std(ddof=1) / math.sqrt(40)), rel=0.1)
    alone = evidence_from_statistics(task.metric, statistics)
    assert alone is not None
    assert alone.low.standard_error == pytest.approx(float(np.repeat(centres, 2).std(ddof=1) / math.sqrt(80)))
    assert TaskEvidence.of(task, alone).interval(0.95) is not None
    assert not TaskEvidence.of(task, alone).testable
    alike = evidence_from_statistics(task.metric, dict.fromkeys(statistics, (Outcome.ANSWERED, [0.0])))
    assert alike is not None
    assert TaskEvidence.of(task, alike).interval(0.95) is None
    assert TaskEvidence.of(task, alike).win_p_value(5.0) == 1.0


# Depth, flow, mattes, pictures, normals


def test_depth_is_compared_where_the_label_has_any(tmp_path: Path) -> None:
    wanted = saved(tmp_path / "wanted.png", np.array([[0, 1000], [2000, 3000]], np.uint16))
    given_ = saved(tmp_path / "given.npy", np.array([[9e9, 1300.0], [np.nan, 3400.0]]))
    metric = metric_of("rms")
    question = about(wanted, depth_unit="mm")
    assert metric.statistic(media(given_), question) == [pytest.approx(math.sqrt((300**2 + 2000**2 + 400**2) / 3) / 10)]
    assert metric.worst(question) == [pytest.approx(math.sqrt((1 + 4 + 9) / 3) * 100)]
    assert metric.statistic(media(wanted), question) == metric.best(question) == [0.0]
    with pytest.raises(NotComparable, match="no depth above 0"):
        metric.statistic(media(given_), about(saved(tmp_path / "none.png", np.zeros((2, 2), np.uint16)), depth_unit="mm"))


def test_depth_is_in_centimetres_and_never_of_a_guessed_unit(tmp_path: Path) -> None:
    wanted, given_ = saved(tmp_path / "wanted.npy", np.full((2, 2), 3.0)), saved(tmp_path / "given.npy", np.full((2, 2), 3.364))
    metric = metric_of("rms")
    found = [metric.statistic(media(given_), about(wanted, depth_unit=unit))[0] for unit in ("m", "CM", "mm")]
    assert found == pytest.approx([36.4, 0.364, 0.0364])
    with pytest.raises(NotComparable, match=r'unit of depth labels is not said: write "depth_unit"'):
        metric.worst(about(wanted))
    with pytest.raises(NotComparable, match="is 'feet', not"):
        metric.statistic(media(given_), about(wanted, depth_unit="feet"))


def test_relative_depth_is_fitted_once_a_video_as_by_least_squares(tmp_path: Path) -> None:
    wanted = GENERATOR.uniform(0.5, 120.0, (5, 6, 7))
    given_ = 0.3 * wanted + 2.0 + GENERATOR.normal(size=wanted.shape)
    valid = (wanted >= 1e-3) & (wanted <= 80.0)
    design = np.stack([given_[valid], np.ones(valid.sum())], axis=1)
    (scale, offset), *_rest = np.linalg.lstsq(design, wanted[valid], rcond=None)
    expected = np.mean(np.abs(np.clip(scale * given_[valid] + offset, 1e-3, 80.0) - wanted[valid]) / wanted[valid])
    metric = metric_of("abs_rel")
    question = about(saved(tmp_path / "wanted.npy", wanted))
    assert metric.statistic(media(saved(tmp_path / "given.npy", given_)), question) == [pytest.approx(expected, rel=1e-9)]
    frames = [saved(tmp_path / f"frame{index}.npy", frame) for index, frame in enumerate(given_)]
    assert metric.statistic(media(*frames), question) == [pytest.approx(expected, rel=1e-9)]
    affine = saved(tmp_path / "affine.npy", 7.0 - 0.01 * wanted)
    assert metric.statistic(media(affine), question) == [pytest.approx(0.0, abs=1e-9)]
    constant = np.mean(np.abs(wanted[valid].mean() - wanted[valid]) / wanted[valid])
    assert metric.worst(question) == [pytest.approx(constant)]
    assert metric.statistic(media(saved(tmp_path / "flat.npy", np.full_like(wanted, 1e6))), question) == [pytest.approx(constant)]


def test_flow_errors_are_distances_of_known_vectors(tmp_path: Path) -> None:
    wanted, given_ = GENERATOR.normal(size=(2, 4, 6, 2))
    wanted[0, 0] = np.nan
    distances = [math.dist(wanted[y, x], given_[y, x]) for y in range(4) for x in range(6) if (y, x) != (0, 0)]
    metric = metric_of("epe")
    question = about(saved(tmp_path / "wanted.npy", wanted))
    answer = media(saved(tmp_path / "given.npy", given_))
    assert metric.statistic(answer, question) == [pytest.approx(math.fsum(distances) / 23)]
    assert metric.worst(question) == [pytest.approx(float(np.nanmean(np.linalg.norm(wanted, axis=2))))]
    both = Question("media", question.label * 2)
    assert metric.statistic(answer, both)[0] == pytest.approx((math.fsum(distances) / 23 + metric.worst(question)[0]) / 2)


def test_flow_of_half_the_size_is_scaled_with_it() -> None:
    wanted = np.tile(np.array([4.0, 2.0]), (8, 12, 1))
    assert end_point_errors(wanted[::2, ::2] / 2.0, wanted) == pytest.approx(np.zeros(96), abs=1e-6)


def test_mattes_are_measured_in_thousands_and_thousandths(tmp_path: Path) -> None:
    wanted, given_ = GENERATOR.integers(0, 256, (2, 40, 50)).astype(np.uint8)
    question, answer = about(saved(tmp_path / "wanted.png", wanted)), media(saved(tmp_path / "given.png", given_))
    difference = np.abs(wanted / 255 - given_ / 255)
    for metric_id, expected in (("sad", difference.sum() / 1000), ("mse", (difference**2).mean() * 1000)):
        metric = metric_of(metric_id)
        assert metric.compute([("a", metric.statistic(answer, question))]).score == pytest.approx(expected)
        nothing = saved(tmp_path / "nothing.png", np.zeros((40, 50), np.uint8))
        assert metric.worst(question) == [pytest.approx(metric.statistic(media(nothing), question)[0])]


def test_lab_colours_are_those_of_the_standard() -> None:
    # Lindbloom's calculator, sRGB and D65.
    known = {(255, 0, 0): (53.2408, 80.0925, 67.2032), (0, 0, 255): (32.2970, 79.1875, -107.8602), (119, 119, 119): (50.034, 0.0, 0.0)}
    for rgb, expected in known.items():
        assert lab(np.array([[rgb]], np.uint8))[0, 0] == pytest.approx(np.array(expected), abs=0.02)


@pytest.mark.full
def test_lab_colours_are_those_of_scikit_image() -> None:
    color = pytest.importorskip("skimage.color")
    picture = GENERATOR.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    assert lab(picture) == pytest.approx(color.rgb2lab(picture), abs=1e-3)


def test_shadow_removal_is_measured_in_lab(tmp_path: Path) -> None:
    wanted, given_ = GENERATOR.integers(0, 256, (2, 9, 8, 3)).astype(np.uint8)
    metric = metric_of("rmse", of="picture")
    question = about(saved(tmp_path / "wanted.png", wanted))
    expected = math.sqrt(np.mean((lab(wanted) - lab(given_)) ** 2))
    assert metric.statistic(media(saved(tmp_path / "given.png", given_)), question) == [pytest.approx(expected)]


@settings(max_examples=50)
@given(arrays(float, (4, 3), elements=st.floats(-1e3, 1e3)), arrays(float, (4, 3), elements=st.floats(-1e3, 1e3)))
def test_angles_are_those_of_the_arc_cosine(one: np.ndarray, other: np.ndarray) -> None:
    for a, b, angle in zip(one, other, angles(one, other), strict=True):
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        if lengths > 1e-6:
            assert angle == pytest.approx(math.degrees(math.acos(min(1.0, abs(float(a @ b)) / lengths))), abs=1e-3)
        elif lengths == 0.0:
            assert angle == 90.0


def test_normals_count_whichever_side_they_point_to_and_missing_ones_are_across(tmp_path: Path) -> None:
    wanted = saved(tmp_path / "wanted.npy", np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]))
    (tmp_path / "given.normals").write_text("0 0 -5\n0 1 1\n")
    metric = metric_of("rmse", of="normals")
    assert metric.statistic(media(tmp_path / "given.normals"), about(wanted)) == [pytest.approx(math.sqrt((0 + 45**2 + 90**2) / 3))]
    assert metric.worst(about(wanted)) == [90.0]


# Pictures and videos


def plain_ms_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Written from the paper, in two dimensions and by another convolution."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = 6.5025, 58.5225
    value = 1.0
    for scale in range(5):
        blur = [signal.convolve2d(plane, window, mode="valid") for plane in (one, other, one * one, other * other, one * other)]
        variance = blur[2] - blur[0] ** 2 + blur[3] - blur[1] ** 2
        structure = (2 * (blur[4] - blur[0] * blur[1]) + c2) / (variance + c2)
        luminance = (2 * blur[0] * blur[1] + c1) / (blur[0] ** 2 + blur[1] ** 2 + c1)
        value *= float(((structure * luminance) if scale == 4 else structure).mean()) ** SCALE_WEIGHTS[scale]
        one, other = (
            sum(plane[y : plane.shape[0] // 2 * 2 : 2, x : plane.shape[1] // 2 * 2 : 2] for y in (0, 1) for x in (0, 1)) / 4
            for plane in (one, other)
        )
    return value


def photograph(height: int = 200, width: int = 216) -> np.ndarray:
    rough = ndimage.gaussian_filter(GENERATOR.normal(size=(height, width, 3)), (6, 6, 0))
    return np.clip(128 + 900 * rough, 0, 255).astype(np.uint8)


def test_ms_ssim_agrees_with_a_plain_implementation() -> None:
    picture = photograph()
    noisy = np.clip(picture + GENERATOR.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)
    found = ms_ssim(luma(noisy), luma(picture))
    assert 0.3 < found < 0.97
    assert found == pytest.approx(plain_ms_ssim(luma(noisy), luma(picture)), abs=1e-10)


def test_small_pictures_are_measured_on_fewer_scales() -> None:
    for side in (1, 5, 11, 21, 22, 100, 175):
        picture = np.maximum(photograph(side, side + 3), 60)  # none so dark that it is nearly black
        assert ms_ssim(luma(picture), luma(picture)) == pytest.approx(1.0)
        assert ms_ssim(luma(np.zeros_like(picture)), luma(picture)) < 0.5


@pytest.mark.full
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_psnr_and_ms_ssim_are_those_of_torchmetrics_on_photographs(name: str) -> None:
    data = pytest.importorskip("skimage.data")
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.image")
    picture = getattr(data, name)()[:256, :256]
    blurred = ndimage.gaussian_filter(picture, (2, 2, 0))
    ours = luma(blurred), luma(picture)
    theirs = [torch.tensor(plane)[None, None] for plane in ours]
    # Theirs lets the windows of the coarsest luminance term reach over mirrored borders; Wang's, and ours, lie wholly inside.
    whole = float(functional.multiscale_structural_similarity_index_measure(*theirs, data_range=255.0))
    assert ms_ssim(*ours) == pytest.approx(whole, abs=1e-4)
    value = 1.0
    for scale, weight in enumerate(SCALE_WEIGHTS):
        _mean, contrast = functional.structural_similarity_index_measure(*theirs, data_range=255.0, return_contrast_sensitivity=True)
        _mean, full = functional.structural_similarity_index_measure(*theirs, data_range=255.0, return_full_image=True)
        value *= float(full[..., 5:-5, 5:-5].mean() if scale == 4 else contrast) ** weight
        theirs = [torch.nn.functional.avg_pool2d(plane, 2) for plane in theirs]
    assert ms_ssim(*ours) == pytest.approx(value, abs=1e-9)
    pair = [torch.tensor(plane.astype(np.float64)) for plane in (blurred, picture)]
    # Theirs sums in single precision.
    assert psnr(blurred, picture) == pytest.approx(float(functional.peak_signal_noise_ratio(*pair, data_range=255.0)), abs=1e-5)


def test_psnr_of_videos_is_the_mean_over_the_labels_frames(tmp_path: Path) -> None:
    wanted = GENERATOR.integers(0, 200, (3, 20, 30, 3)).astype(np.uint8)
    given_ = wanted + np.array([0, 10, 40], np.uint8)[:, None, None, None]
    metric = metric_of("psnr")
    question = about(saved(tmp_path / "wanted.npy", wanted))
    expected = [100.0, 10 * math.log10(255**2 / 100), 10 * math.log10(255**2 / 1600)]
    assert metric.statistic(media(saved(tmp_path / "given.npy", given_)), question) == [pytest.approx(sum(expected) / 3)]
    black = 10 * math.log10(255**2 / np.mean(wanted[2].astype(float) ** 2))
    short = saved(tmp_path / "short.npy", given_[:2])
    assert metric.statistic(media(short), question) == [pytest.approx((expected[0] + expected[1] + black) / 3)]
    folder = tmp_path / "folder"
    folder.mkdir()
    for index, frame in enumerate(given_):
        saved(folder / f"{index}.png", frame)
    assert metric.statistic(media(folder), question) == [pytest.approx(sum(expected) / 3)]
    assert metric.statistic(media(*sorted(folder.iterdir())), question) == [pytest.approx(sum(expected) / 3)]


def test_the_official_psnr_leaves_identical_frames_out(tmp_path: Path) -> None:
    wanted = GENERATOR.integers(0, 200, (2, 8, 9, 3)).astype(np.uint8)
    question = about(saved(tmp_path / "wanted.npy", wanted))
    given_ = saved(tmp_path / "given.npy", wanted + np.array([0, 10], np.uint8)[:, None, None, None])
    official = metric_of("psnr", "official")
    assert official.statistic(media(given_), question) == [pytest.approx(10 * math.log10(255**2 / 100))]
    assert official.statistic(media(tmp_path / "wanted.npy"), question) == [100.0]


def test_a_picture_of_another_size_is_resized(tmp_path: Path) -> None:
    picture = photograph(64, 80)
    large = Image.fromarray(picture).resize((160, 128), Image.Resampling.BICUBIC)
    large.save(tmp_path / "large.png")
    question = about(saved(tmp_path / "wanted.png", picture))
    assert metric_of("psnr").statistic(media(tmp_path / "large.png"), question)[0] > 35
    assert metric_of("psnr").worst(question)[0] < 10


def test_stillness_is_that_of_the_formula(tmp_path: Path) -> None:
    frames = GENERATOR.integers(0, 256, (5, 12, 14, 3)).astype(np.uint8)
    expected = (255 - np.mean(np.abs(np.diff(frames.astype(int), axis=0)))) / 255
    metric = metric_of("l1_distance")
    question = Question("media", None)
    assert not metric.needs_label
    row = metric.statistic(media(saved(tmp_path / "video.npy", frames)), question)
    assert row == pytest.approx(expected)
    assert metric.compute([("a", row)]).score == pytest.approx(100 * expected)
    with pytest.raises(UnreadableAnswer, match="one frame"):
        metric.statistic(media(saved(tmp_path / "one.png", frames[0])), question)


def video_of(kind: str) -> np.ndarray:
    scene = ndimage.gaussian_filter(GENERATOR.uniform(0, 255, (200, 400)), 3)
    scene = np.clip((scene - scene.mean()) * 8 + 128, 0, 255)
    frames = []
    for index in range(8):
        match kind:
            case "pan":
                frame = scene[:160, 10 * index : 10 * index + 240]
            case "creep":
                frame = scene[:160, index : index + 240]
            case "still":
                frame = scene[:160, :240]
            case "noise":
                frame = scene[:160, :240] + GENERATOR.normal(0, 3, (160, 240))
            case "flicker":
                frame = scene[:160, :240] * (0.8 + 0.2 * (index % 2))
            case "jump":  # one cut, and nothing moves
                frame = scene[:160, 160 * (index > 3) : 160 * (index > 3) + 240]
        frames.append(np.repeat(np.clip(frame, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return np.array(frames)


@pytest.mark.parametrize(("kind", "moves"), [("pan", 1.0), ("creep", 0.0), ("still", 0.0), ("noise", 0.0), ("flicker", 0.0), ("jump", 0.0)])
def test_block_matching_tells_videos_that_move(tmp_path: Path, kind: str, moves: float) -> None:
    metric = metric_of("optical_flow_score", "classical")
    assert metric.statistic(media(saved(tmp_path / "video.npy", video_of(kind))), Question("media", None)) == moves


@pytest.mark.parametrize("move", [(0, 0), (3, 4), (-6, 0), (0, -8)])
def test_block_matching_finds_a_shift(move: tuple[int, int]) -> None:
    scene = ndimage.gaussian_filter(GENERATOR.uniform(0, 255, (180, 180)), 1) * 3
    after = scene[20 + move[0] : 148 + move[0], 20 + move[1] : 148 + move[1]]
    assert shift(scene[20:148, 20:148], after) == pytest.approx(math.hypot(*move))


# Clouds


@settings(max_examples=40)
@given(arrays(float, (7, 3), elements=st.floats(-100, 100)), arrays(float, (4, 3), elements=st.floats(-100, 100)))
def test_chamfer_is_that_of_all_pairs(one: np.ndarray, other: np.ndarray) -> None:
    distances = cdist(one, other)
    there, back = distances.min(axis=1), distances.min(axis=0)
    assert chamfer(one, other) == pytest.approx((there.mean() + back.mean()) / 2, abs=1e-9)
    assert chamfer(one, other, squared=True) == pytest.approx(((there**2).mean() + (back**2).mean()) / 2, abs=1e-9)


def test_meshes_are_compared_by_their_surfaces(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(subdivisions=3)
    ball.export(str(tmp_path / "ball.ply"))
    ball.subdivide().export(str(tmp_path / "finer.obj"))
    ball.apply_scale(1.1).export(str(tmp_path / "larger.stl"))
    metric = metric_of("chamfer")
    question = about(tmp_path / "ball.ply")
    assert metric.statistic(media(tmp_path / "ball.ply"), question) == [0.0]
    assert metric.statistic(media(tmp_path / "finer.obj"), question)[0] == pytest.approx(0.01, abs=0.005)
    assert metric.statistic(media(tmp_path / "larger.stl"), question)[0] == pytest.approx(0.1, abs=0.01)
    assert metric.worst(question)[0] == pytest.approx(1.0, abs=0.02)


# Sound and music


def speech(seed: int) -> np.ndarray:
    """Something like a voice: harmonics of a gliding pitch under a formant, in syllables, with a little noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(RATE * 1.2)) / RATE
    pitch = 140 * (1 + 0.1 * np.sin(2 * np.pi * 1.5 * time) + 0.02 * seed)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.cos(number * phase) / number * np.exp(-(((number * pitch - 700) / 900) ** 2)) for number in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 1.7 * time) + 0.3, 0, 1)
    return (0.2 * voice * syllables + 0.01 * generator.normal(size=len(time))).astype(np.float32).astype(np.float64)


def test_mel_cepstral_distortion_is_that_of_pymcd() -> None:
    """Values of pymcd 0.2.1 in its mode "plain", with pyworld 0.3.6 and pysptk 1.0.1, on the same samples."""
    tone = 0.3 * np.sin(np.arange(4410) * 2 * np.pi * 220 / RATE)
    assert distortion(tone, np.zeros(4410)) == pytest.approx(33.96071412680965, abs=1e-6)
    one, other = speech(0), speech(3)[:25000]
    assert distortion(other, one) == pytest.approx(3.3440403282700046, abs=1e-6)
    assert distortion(one, other) == pytest.approx(3.3440403282700046, abs=1e-6)


def test_speech_in_files_is_brought_to_one_rate(tmp_path: Path) -> None:
    samples = speech(1)
    for name, step in (("full.wav", 1), ("half.wav", 2)):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE // step)
            low = signal.resample_poly(samples, 1, step)
            file.writeframes(np.clip(low * 32767, -32768, 32767).astype("<i2").tobytes())
    metric = metric_of("mcd")
    question = about(tmp_path / "full.wav")
    assert metric.statistic(media(tmp_path / "full.wav"), question) == [0.0]
    half = metric.statistic(media(tmp_path / "half.wav"), question)[0]
    assert 0.0 < half < metric.worst(question)[0]


def song(path: Path, notes: list[tuple[int, float, float]], program: int = 0) -> Path:
    file = mido.MidiFile(ticks_per_beat=480)
    events = sorted([(start, 1, pitch) for pitch, start, _end in notes] + [(end, 0, pitch) for pitch, _start, end in notes])
    track = mido.MidiTrack([mido.Message("program_change", program=program)])
    at = 0.0
    for beat, on, pitch in events:
        track.append(mido.Message("note_on", note=pitch, velocity=80 * on, time=round((beat - at) * 480)))
        at = beat
    file.tracks.append(track)
    file.save(str(path))
    return path


def plain_consistency(notes: list[tuple[int, float, float]]) -> float:
    last = int(max(end for _pitch, _start, end in notes) // 4) + 1
    bars = np.zeros((last + 1, 12))
    for pitch, start, end in notes:
        for bar in range(last + 1):
            bars[bar, pitch % 12] += max(0.0, min(end, 4 * bar + 4) - max(start, 4 * bar))
    played = [index for index, bar in enumerate(bars) if bar.any()]
    values = []
    for one, other in zip(bars[played[0] : played[-1]], bars[played[0] + 1 : played[-1] + 1], strict=True):
        if one.any() or other.any():
            values.append(float(one @ other / math.sqrt((one @ one) * (other @ other))) if one.any() and other.any() else 0.0)
    return sum(values) / len(values) if values else 0.0


def test_pitch_classes_of_neighbouring_bars_are_compared(tmp_path: Path) -> None:
    from scorer.media.midi import read_notes

    for case in range(30):
        generator = np.random.default_rng(case)
        starts = generator.integers(0, 60, 8) / 2
        notes = [(60 + index, float(start), float(start) + 0.5 + index) for index, start in enumerate(starts)]
        found = consistency(read_notes(song(tmp_path / "song.mid", notes)))
        assert found == pytest.approx(plain_consistency(notes), abs=1e-9)
    metric = metric_of("pcc")
    assert metric.statistic(media(song(tmp_path / "same.mid", [(60, 0, 4), (72, 4, 8)])), Question("media", None)) == 1.0
    assert metric.statistic(media(song(tmp_path / "bar.mid", [(60, 0, 4)])), Question("media", None)) == 0.0
    with pytest.raises(UnreadableAnswer, match="no note"):
        metric.statistic(media(song(tmp_path / "silent.mid", [])), Question("media", None))


def test_events_are_where_notes_begin(tmp_path: Path) -> None:
    from scorer.media.midi import read_notes

    wanted = song(tmp_path / "wanted.mid", [(60, 0, 1), (64, 0, 1), (67, 1, 2), (72, 2, 3)], program=40)
    given_ = song(tmp_path / "given.mid", [(60, 0.01, 3), (65, 0, 1), (67, 1, 4)], program=47)
    # At 0: one of {60, 64, 65} is in both; at 1: the one note; at 2: missing.
    assert event_accuracy(read_notes(given_), read_notes(wanted)) == pytest.approx((1 / 3 + 1 + 0) / 3)
    metric = metric_of("event_accuracy")
    assert metric.statistic(media(wanted), about(wanted)) == 1.0
    other = song(tmp_path / "other.mid", [(60, 0, 1), (64, 0, 1), (67, 1, 2), (72, 2, 3)], program=0)
    assert metric.statistic(media(other), about(wanted)) == 0.0


# Whose fault it is


MEDIA_METRICS = [
    ("rms", {}),
    ("abs_rel", {}),
    ("epe", {}),
    ("mse", {}),
    ("sad", {}),
    ("rmse", {"of": "picture"}),
    ("rmse", {"of": "normals"}),
    ("psnr", {}),
    ("ms_ssim", {}),
    ("chamfer", {}),
    ("mcd", {}),
    ("event_accuracy", {}),
]


@pytest.mark.parametrize(("metric_id", "parameters"), MEDIA_METRICS)
def test_a_broken_answer_is_unreadable_and_a_broken_label_is_named(tmp_path: Path, metric_id: str, parameters: dict[str, str]) -> None:
    good = {
        "epe": lambda: saved(tmp_path / "good.npy", np.ones((4, 4, 2))),
        "chamfer": lambda: saved(tmp_path / "good.npy", np.ones((4, 3))),
        "mcd": lambda: _tone(tmp_path / "good.wav"),
        "event_accuracy": lambda: song(tmp_path / "good.mid", [(60, 0, 1)]),
    }.get(metric_id, lambda: saved(tmp_path / "good.png", np.full((12, 12), 9, np.uint8)))()
    if parameters == {"of": "normals"}:
        good = saved(tmp_path / "good.npy", np.ones((4, 3)))
    broken = tmp_path / "broken.bin"
    broken.write_bytes(b"\x00\x01\x02")
    metric = metric_of(metric_id, **parameters)
    question = about(good, depth_unit="m")
    metric.statistic(media(good), question)
    with pytest.raises(UnreadableAnswer, match=r"broken\.bin"):
        metric.statistic(media(broken), question)
    with pytest.raises(UnreadableAnswer, match="names no file"):
        metric.statistic(Structured([]), question)
    for measure in (lambda asked: metric.statistic(media(good), asked), metric.worst):
        with pytest.raises(NotComparable, match=r"label cannot be read: .*missing\.png"):
            measure(about(tmp_path / "missing.png", depth_unit="m"))
        with pytest.raises(NotComparable, match="names no file"):
            measure(Question("media", {"caption": "a dog"}, details={"depth_unit": "m"}))
    with pytest.raises(NotComparable, match="not files"):
        metric.statistic("a dog", question)


def _tone(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes((np.sin(np.arange(2000) / 20) * 9000).astype("<i2").tobytes())
    return path


EXAMPLES = runpy.run_path(str(Path(__file__).parent / "metric_examples" / "dense.py"))["EXAMPLES"]


@pytest.mark.parametrize(
    "row", [row for row in EXAMPLES if callable(row["pairs"])], ids=lambda row: f"{row['metric']} {row.get('parameters', '')}"
)
def test_the_labels_own_files_are_the_best_answer(row: dict[str, Any], tmp_path: Path) -> None:
    metric = create(row["metric"], row.get("parameters", {}), row.get("variant", "default"))
    assert metric is not None
    for _answer, question in row["pairs"](tmp_path):
        if metric.needs_label:
            assert metric.statistic(Structured(question.label), question) == pytest.approx(metric.best(question), abs=1e-6)


def test_a_task_of_media_is_scored_from_its_files(tmp_path: Path) -> None:
    from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskScoring

    wanted = saved(tmp_path / "wanted.png", np.full((8, 8, 3), 100, np.uint8))
    near = saved(tmp_path / "near.png", np.full((8, 8, 3), 110, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    label = {"file": str(wanted)}

    def instance(key: str, outcome: Outcome, *files: Path, label: Any = label) -> AnsweredInstance:
        return AnsweredInstance(key, outcome, "", "media", label, files=tuple(map(str, files)))

    scoring = TaskScoring(metric_of("psnr"))
    scoring.add([instance("same", Outcome.ANSWERED, wanted), instance("near", Outcome.ANSWERED, near)])
    assert scoring.finish().score == pytest.approx((100 + 10 * math.log10(255**2 / 100)) / 2)
    black = 10 * math.log10(255**2 / 100**2)
    scoring.add([instance("near", Outcome.REFUSED), instance("broken", Outcome.ANSWERED, tmp_path / "broken.png")])
    outcome = scoring.finish()
    assert outcome.score == pytest.approx((100 + 2 * black) / 3)
    assert outcome.counts == {Outcome.ANSWERED: 1, Outcome.REFUSED: 1, Outcome.UNPARSABLE: 1}
    scoring.add([instance("failed", Outcome.FAILED)])
    outcome = scoring.finish()
    assert outcome.score is None
    assert (outcome.lower, outcome.upper) == (pytest.approx((100 + 3 * black) / 4), pytest.approx((200 + 2 * black) / 4))
    scoring.add([instance("failed", Outcome.ANSWERED, near, label={"file": str(tmp_path / "lost.png")})])
    assert "lost.png" in scoring.finish().note
