"""The answer types, one row each: all their differences that are data, not code.

Code that depends on the answer type reads its row. So a new type is a row here, a parser (scorer.parsers), a form of its
labels (genlevel.benchmark.forms) and its wording with its schema (evaluator/planning/prompts.yaml).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class AnswerType(StrEnum):
    """What kind of answer an instance asks for; decides prompt, parser and the label's normal form.

    Normal form of a label (JSON). A file stands as {"file": path} wherever one is named.
        choice: one upper-case letter ("B"); the options' texts stand beside it.
        label, number, short_text, long_text, code: a list of acceptable strings; any of them counts.
        items: a list of strings; all of them count (label sets, extraction).
        boxes: a list of {"label": str, "box": [x, y, width, height]} in pixels from the top left.
        masks: a list of {"label": str, "mask": M}. M: {"file": path} (a picture, an array, one number a point),
            {"size": [height, width], "counts": [..]} (run lengths by columns, as COCO's), {"polygons": [[x, y, x, y, ...], ...]},
            {"points": [index, ...]} (of a point cloud), or for a video a list of these, one a frame (null: nothing there). One
            entry with label "" whose mask is a file is a map of the whole: its numbers are the classes.
        keypoints: a list of {"label": str, "points": [[x, y, visibility], ...], "area"?: float, "box"?: [x, y, width, height]}.
        boxes_3d: a list of {"label": str, "box": [x, y, z, dx, dy, dz, yaw]}: the centre, the full sizes, radians about z.
        track: a list of [x, y, width, height] or null, one a frame.
        tubes: a list of {"label": str, "boxes": {"<frame>": [x, y, width, height]}}.
        tracks: a list of {"frame": int, "id": str, "label": str, "box": [x, y, z, dx, dy, dz, yaw]}.
        relations: a list of {"subject": str, "predicate": str, "object": str, "subject_box"?, "object_box"?}, the surest first.
        poses: a list of twelve numbers, the rows of a 3 x 4 matrix from camera to world (KITTI), one a frame.
        series: a list of numbers, or of equally long lists of numbers.
        media: {"file": path}, a list of these, or the annotation's own JSON with them in it.
        structure: the annotation's own JSON.
    Answers of these types are read into the same form; there an entry may have "score", its confidence.
    """

    CHOICE = "choice"
    LABEL = "label"
    NUMBER = "number"
    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"
    ITEMS = "items"
    BOXES = "boxes"
    CODE = "code"
    MASKS = "masks"
    KEYPOINTS = "keypoints"
    BOXES_3D = "boxes_3d"
    TRACK = "track"
    TUBES = "tubes"
    TRACKS = "tracks"
    RELATIONS = "relations"
    POSES = "poses"
    SERIES = "series"
    MEDIA = "media"
    STRUCTURE = "structure"


class Shape(Enum):
    """What an answer is once it is read (scorer.parsers.values); most code asks nothing else of its type."""

    LETTER = "the letter of an option"
    TEXT = "a text"
    NUMBER = "a number"
    ITEMS = "a tuple of texts"
    BOXES = "a tuple of boxes"
    STRUCTURE = "JSON in the normal form of labels"
    FILES = "the files that it came with"


TEXT_METRICS = frozenset(
    (
        *("accuracy", "macro_accuracy", "exact_match", "micro_f1", "f1", "anls", "gpt_score", "bleu_1", "bleu_4", "rouge_1", "rouge_l"),
        *("cider", "wer", "mos", "user_preference"),
    )
)
"""Metrics that compare texts, of whatever answer type."""

_MEDIA_METRICS = frozenset(
    (
        *("accuracy:picture_class", "cider:speech", "wer", "auc", "mae", "rmse", "mse", "rms", "sad", "abs_rel", "epe"),
        *("psnr", "ms_ssim", "fid", "fvd", "fad", "chamfer", "clip_score", "clip_image_score", "clip_style", "dino_score"),
        *("aesthetic_score", "musiq", "i2v_average", "clap", "style_clap", "frame_accuracy", "event_accuracy", "mos", "user_preference"),
        *("success_rate", "l1_distance", "optical_flow_score", "pcc", "mcd"),
    )
)
_MASK_METRICS = frozenset(("f1:pixels", "ap_at_iou:masks", "map:masks", "miou", "instance_miou", "pq", "dice", "s_measure"))
_ROWS = (".txt", ".csv", ".json")
_JSON = (".json",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKind:
    """All differences between answer types except code and wording.

    shape: what a parsed answer is. holds: what an answer contains, for messages that say that it is missing.
    scored_by: the metrics that can score it, by id, or by id and sense ("auc:success_plot") if only one of a metric's senses does.
    called: what annotations call a task that asks for it ("type"), in small letters without spaces, "-" and "_".
    offers_options: whether an item that offers options is multiple choice instead.
    formed: whether a label is read into the type's normal form and refused if it cannot be; else any texts are a label.
    label_keys: names under which an annotation's output keeps such a label, the surest first.
    names_files: whether a label may name files; in others a text that looks like a file's name is just a text.
    label_files: suffixes of the files whose content is the label, if the label is one such file alone.
    takes_files: whether files that come with an answer are part of it.
    sequence: whether an answer has one entry a frame or step, so that an empty list is not an answer.
    verbatim: whether white space counts in its text.
    bounded: whether its length is known by its type, so that a longer label raises no limit on the answer.
    label_bytes_a_token: how many bytes of a label count as one token, on the safe side: English has four a token, code three, most other
        scripts two or more. Numbers have hardly more than one, and names stand between them in answers.
    next_turn: whether a dialogue that comes with it asks for its next turn.
    judged: whether a judge that reads text can rate it.
    shows_inputs: whether the scorer needs what was asked, and its media, by whatever metric.
    in_picture: whether it consists of coordinates in a picture.
    """

    shape: Shape
    holds: str = ""
    scored_by: frozenset[str] = frozenset()
    called: tuple[str, ...] = ()
    offers_options: bool = False
    formed: bool = False
    label_keys: tuple[str, ...] = ()
    names_files: bool = False
    label_files: tuple[str, ...] = ()
    takes_files: bool = False
    sequence: bool = False
    verbatim: bool = False
    bounded: bool = False
    label_bytes_a_token: int = 1
    next_turn: bool = False
    judged: bool = True
    shows_inputs: bool = False
    in_picture: bool = False


def _structure(
    holds: str,
    *metrics: str,
    label_keys: tuple[str, ...] = (),
    label_files: tuple[str, ...] = _JSON,
    sequence: bool = False,
    shape: Shape = Shape.STRUCTURE,
    in_picture: bool = False,
) -> AnswerKind:
    """An answer of JSON, whose labels may name files."""
    return AnswerKind(
        shape=shape,
        holds=holds,
        scored_by=frozenset(metrics),
        formed=True,
        label_keys=label_keys,
        names_files=True,
        label_files=label_files,
        sequence=sequence,
        in_picture=in_picture,
    )


KINDS: dict[AnswerType, AnswerKind] = {
    AnswerType.CHOICE: AnswerKind(
        shape=Shape.LETTER,
        scored_by=TEXT_METRICS,
        called=("multiplechoiceqa", "multiplechoice", "mcq"),
        offers_options=True,
        bounded=True,
    ),
    AnswerType.LABEL: AnswerKind(shape=Shape.TEXT, scored_by=TEXT_METRICS, offers_options=True, bounded=True),
    AnswerType.NUMBER: AnswerKind(
        shape=Shape.NUMBER, scored_by=TEXT_METRICS | {"auc", "average_precision", "mae", "rmse"}, offers_options=True, bounded=True
    ),
    AnswerType.SHORT_TEXT: AnswerKind(shape=Shape.TEXT, scored_by=TEXT_METRICS, offers_options=True, label_bytes_a_token=2, next_turn=True),
    AnswerType.LONG_TEXT: AnswerKind(shape=Shape.TEXT, scored_by=TEXT_METRICS, offers_options=True, label_bytes_a_token=2, next_turn=True),
    AnswerType.ITEMS: AnswerKind(shape=Shape.ITEMS, scored_by=TEXT_METRICS, called=("extraction",), label_bytes_a_token=2),
    AnswerType.BOXES: _structure(
        "boxes",
        *("average_precision:boxes", "ap_at_iou", "map"),
        label_keys=("bbox", "bboxes", "boxes", "box", "bounding_box"),
        shape=Shape.BOXES,
        in_picture=True,
    ),
    AnswerType.CODE: AnswerKind(
        shape=Shape.TEXT,
        scored_by=frozenset({"code_bleu"}),
        formed=True,
        label_keys=("repairCode", "code"),
        verbatim=True,
        label_bytes_a_token=2,
    ),
    AnswerType.MASKS: AnswerKind(
        shape=Shape.STRUCTURE,
        holds="masks",
        scored_by=_MASK_METRICS,
        formed=True,
        label_keys=(*("mask", "masks", "segmentation", "rle", "counts", "polygons", "polygon", "point_labels", "points", "bbox", "boxes"),),
        names_files=True,
        label_files=_JSON,
        takes_files=True,
        judged=False,
        shows_inputs=True,
        in_picture=True,
    ),
    AnswerType.KEYPOINTS: _structure(
        "keypoints", "ap_at_iou:keypoints", label_keys=("keypoints", "points", "joints", "landmarks", "pose"), in_picture=True
    ),
    AnswerType.BOXES_3D: _structure(
        "boxes [x, y, z, dx, dy, dz, yaw]",
        "map:boxes_3d",
        label_keys=("boxes_3d", "bboxes_3d", "box_3d", "bbox_3d", "bbox", "boxes", "box", "bboxes"),
    ),
    AnswerType.TRACK: _structure(
        "boxes, one a frame",
        "auc:success_plot",
        label_keys=("bbox", "bboxes", "boxes", "box", "track", "trajectory"),
        label_files=_ROWS,
        sequence=True,
        in_picture=True,
    ),
    AnswerType.TUBES: _structure(
        "tubes (boxes by frame)",
        "m_viou",
        label_keys=("tube", "tubes", "boxes", "bboxes", "bbox", "trajectory", "trajectories"),
        in_picture=True,
    ),
    AnswerType.TRACKS: _structure("boxes with frame and id", "amota", label_keys=("tracks", "frames", "boxes", "objects")),
    AnswerType.RELATIONS: _structure(
        "relations",
        "recall_at_k",
        label_keys=("relations", "relationships", "triplets", "triples", "relation", "predicate", "scene_graph"),
    ),
    AnswerType.POSES: _structure(
        "poses of twelve numbers", "rte", label_keys=("poses", "pose", "trajectory", "odometry"), label_files=_ROWS, sequence=True
    ),
    AnswerType.SERIES: _structure(
        "numbers of a series",
        *("mae", "rmse"),
        label_keys=("series", "values", "target", "forecast"),
        label_files=_ROWS,
        sequence=True,
    ),
    AnswerType.MEDIA: AnswerKind(
        shape=Shape.FILES, scored_by=_MEDIA_METRICS, formed=True, names_files=True, takes_files=True, bounded=True, judged=False
    ),
    AnswerType.STRUCTURE: _structure("lists or objects", label_files=()),
}


def scored_by(metric_id: str, sense: str = "") -> frozenset[AnswerType]:
    """The answer types that a metric can score in one of its senses; those of its usual sense if this one has none of its own.

    Example:
        >>> [kind.value for kind in sorted(scored_by("auc", "roc"))], [kind.value for kind in scored_by("auc", "success_plot")]
        (['media', 'number'], ['track'])
    """
    own = frozenset(kind for kind, row in KINDS.items() if sense and f"{metric_id}:{sense}" in row.scored_by)
    return own or frozenset(kind for kind, row in KINDS.items() if metric_id in row.scored_by)


def text_types() -> frozenset[AnswerType]:
    """The answer types that metrics of text compare."""
    return frozenset(kind for kind, row in KINDS.items() if row.scored_by >= TEXT_METRICS)


def called(task_type: str) -> AnswerType | None:
    """The answer type that an annotation's type asks for by name; None if it names none."""
    plain = task_type.casefold().replace(" ", "").replace("_", "").replace("-", "")
    return next((kind for kind, row in KINDS.items() if plain in row.called), None)
