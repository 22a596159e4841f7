"""What labels and answers draw on the page of an answer: on pictures, in frames of videos, from above, as lines."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from genlevel.views.answers.shapes import MOST_DRAWN, TOO_MANY, layer
from genlevel.web.places import AnswerPlace
from tests.web.answering import AnsweredRun, Replies, write_task
from tests.web.hostile import assert_harmless

IMAGE, VIDEO = "image/comprehension", "video/comprehension"
MANY = [{"label": "x", "box": [n % 30, n % 20, 5, 5]} for n in range(10_000)]
WILD = [{"label": "\u202e<b>", "box": [1e308, -1e308, 1e400, 5]}, {"label": "ok", "box": [1, 1, 5, 5]}]
SUITE = f"""name: drawn
tasks:
  {IMAGE}/Boxes: {{metric: AP50}}
  {IMAGE}/Masks: {{metric: mIoU}}
  {IMAGE}/Map: {{metric: mIoU}}
  {IMAGE}/Scenes: {{metric: R@50}}
  {VIDEO}/Track: {{metric: AUC, metric_parameters: {{of: success_plot}}}}
  nlp/Series: {{metric: MAE}}
"""
REPLIES = {
    "Boxes1": json.dumps([{"label": "cat", "box": [4, 3, 20, 10], "score": 0.5}]),
    "Boxes2": json.dumps(MANY),
    "Boxes3": json.dumps(WILD).replace("Infinity", "1e400"),
    "Masks1": json.dumps([{"label": "cat", "mask": {"polygons": [[0, 0, 20, 0, 20, 15]]}}]),
    "Masks2": json.dumps([{"label": "cat", "mask": {"size": [30, 40], "counts": [0, 600, 600]}}]),
    "Map1": json.dumps([{"label": "1", "mask": {"size": [30, 40], "counts": [600, 600]}}]),
    "Scenes1": json.dumps([{"subject": "man", "predicate": "rides", "object": "horse", "subject_box": [1, 2, 10, 10]}]),
    "Track1": json.dumps([[0, 0, 10, 10]] * 6),
    "Series1": "[1, 2.5, 3]",
}


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _mp4(frames: int) -> bytes:
    av = pytest.importorskip("av")
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * number, np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnsweredRun]:
    folder = tmp_path_factory.mktemp("drawn")
    suite = folder / "bench"
    picture = _png(np.full((30, 40, 3), 90, np.uint8))
    half = np.zeros((30, 40), np.uint8)
    half[:, 20:] = 255
    classes = np.repeat(np.arange(4, dtype=np.uint8), 10)[None].repeat(30, axis=0)
    files = {"images/a.png": picture, "masks/half.png": _png(half), "masks/map.png": _png(classes)}

    def items(name: str, labels: list[object], key: str, **given: object) -> list[object]:
        return [
            {"id": f"i{n}", "input": {**given, "prompt": f"@@{name}{n}@@"}, "output": {key: label}} for n, label in enumerate(labels, 1)
        ]

    boxes: list[object] = [{"cat": [[4, 3, 20, 10]]}] * 3
    masks: list[object] = ["masks/half.png", "masks/half.png"]
    write_task(suite, f"{IMAGE}/Boxes", {"type": "detection"}, items("Boxes", boxes, "bbox", image_file="images/a.png"), files)
    write_task(suite, f"{IMAGE}/Masks", {"type": "segmentation"}, items("Masks", masks, "mask", image_file="images/a.png"), files)
    write_task(suite, f"{IMAGE}/Map", {"type": "segmentation"}, items("Map", ["masks/map.png"], "mask", image_file="images/a.png"), files)
    scene: list[object] = [[{"subject": "man", "predicate": "rides", "object": "horse", "subject_box": [1, 2, 12, 10]}]]
    write_task(suite, f"{IMAGE}/Scenes", {"type": "scene graph"}, items("Scenes", scene, "relations", image_file="images/a.png"), files)
    track: list[object] = [[None, None, [5, 5, 10, 10], [6, 5, 10, 10], None, [9, 5, 10, 10]]]
    tracks = items("Track", track, "bbox", video_file="videos/a.mp4")
    write_task(suite, f"{VIDEO}/Track", {"type": "tracking"}, tracks, {"videos/a.mp4": _mp4(6)})
    write_task(suite, "nlp/Series", {"type": "Time Series"}, items("Series", [[1, 2, 3.5]], "series"))
    (suite / "suite.yaml").write_text(SUITE)
    run = AnsweredRun(folder / "data", Replies(lambda question: REPLIES[question.partition("@@")[2].partition("@@")[0]]), suite)
    yield run
    run.close()


def page_of(answered: AnsweredRun, task: str, number: int = 1, more: str = "") -> str:
    return answered.page(AnswerPlace(answered.run, task, f"i{number}").answer_address() + more)


def picture_at(answered: AnsweredRun, address: str) -> Image.Image:
    response = answered.get(address.replace("&amp;", "&"))
    assert response.status_code == 200, response.text[-800:]
    assert response.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(response.content))


def test_boxes_of_label_and_answer_are_drawn_on_the_picture(answered: AnsweredRun) -> None:
    page = page_of(answered, f"{IMAGE}/Boxes")
    assert re.search(r'<img src="[^"]*/media\?[^"]*" alt="The question.s picture" width="40" height="30">', page)
    assert 'viewBox="0 0 1000 750"' in page
    assert page.count('<rect class="line" x="100" y="75" width="500" height="250"') == 2
    assert page.count("<img") == 1, "the picture is shown once"


def test_ten_thousand_boxes_are_drawn_in_part_and_said(answered: AnsweredRun) -> None:
    page = page_of(answered, f"{IMAGE}/Boxes", 2)
    assert len(page) < 400_000
    assert "Of what was read only the beginning is kept, as it is long: it is not drawn." in page
    label = [{"label": "x", "box": [0, 0, 1, 1]}] * 10_000
    assert layer("boxes", label).left_out == {TOO_MANY: 10_000 - MOST_DRAWN}


def test_coordinates_that_are_no_place_do_no_harm(answered: AnsweredRun) -> None:
    page = page_of(answered, f"{IMAGE}/Boxes", 3)
    assert_harmless(page)
    assert "nan" not in page.partition("<svg")[2].partition("</svg>")[0]


def test_a_mask_in_a_file_lies_on_the_picture_hatched(answered: AnsweredRun) -> None:
    page = page_of(answered, f"{IMAGE}/Masks")
    (address,) = re.findall(r'<img class="mask of-label" src="([^"]+)"', page)
    mask = picture_at(answered, address)
    assert (mask.size, mask.mode) == ((40, 30), "RGBA")
    alpha = np.asarray(mask)[..., 3]
    assert not alpha[:, :20].any()
    assert alpha[:, 20:].all()
    assert len(np.unique(alpha[:, 21:])) == 2, "stripes"
    assert '<path class="line"' in page, "the answer's polygon is an outline"


def test_run_lengths_and_maps_of_classes_are_pictures_too(answered: AnsweredRun) -> None:
    place = AnswerPlace(answered.run, f"{IMAGE}/Masks", "i2")
    alpha = np.asarray(picture_at(answered, place.mask_address("answer")))[..., 3]
    assert alpha[:, :20].all()
    assert not alpha[:, 21:].any()
    classes = np.asarray(picture_at(answered, AnswerPlace(answered.run, f"{IMAGE}/Map", "i1").mask_address("label")))
    assert not classes[:, :9, 3].any(), "0 is nothing"
    tones = {tuple(classes[15, column, :3]) for column in (14, 25, 35)}
    assert len(tones) == 3, "each class has a tone of its own"


def test_a_track_is_drawn_frame_by_frame(answered: AnsweredRun) -> None:
    page = page_of(answered, f"{VIDEO}/Track")
    assert "Frame 0 (said of 6 frames, 0 to 5)" in page
    assert page.count('<rect class="line"') == 1
    page = page_of(answered, f"{VIDEO}/Track", more="&frame=3")
    assert page.count('<rect class="line"') == 2
    (address,) = re.findall(r'<img src="([^"]+frame=3)" alt="The question', page)
    frame = picture_at(answered, address)
    assert frame.size == (64, 48)
    assert abs(frame.getpixel((30, 20))[0] - 120) < 12
    later = re.search(r'href="([^"]+)">Later', page)
    assert later is not None
    assert "frame=4" in later[1]
    assert answered.get(AnswerPlace(answered.run, f"{VIDEO}/Track", "i1").frame_address(0, 99)).status_code == 400
    assert "<video controls" in page


def test_a_scene_is_a_tree_with_its_boxes_on_the_picture(answered: AnsweredRun) -> None:
    page = page_of(answered, f"{IMAGE}/Scenes")
    assert page.count("<title>") >= 3
    assert "L1 man" in page
    assert "rides" in page


def test_a_series_is_lines_with_its_numbers_as_csv(answered: AnsweredRun) -> None:
    page = page_of(answered, "nlp/Series")
    assert "the label&#39;s line is whole" in page or "the label's line is whole" in page
    table = answered.get(AnswerPlace(answered.run, "nlp/Series", "i1").answer_address().replace("/answer?", "/answer.steps.csv?")).text
    assert table.splitlines()[1:] == ["1,1.0,1.0,1.0,1.0", "2,2.0,2.0,2.0,2.5", "3,3.0,3.5,3.0,3.0"]
