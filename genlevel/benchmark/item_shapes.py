"""Items in shapes of their own: brought into the usual {"id", "input", "output"}.

Two occur in the video tasks: grounding and action detection keep everything beside each other (video_path, caption, trajectory,
tube_start_frame, tube_end_frame), and depth estimation names its files as bare texts.
"""

from __future__ import annotations

from genlevel.benchmark.forms.shapes import frame_number
from genlevel.benchmark.labels import looks_like_file
from genlevel.benchmark.model import Modality

ITEM_KEYS = ("input", "output", "dialog", "trajectory")
"""Fields by which an annotation's item is told from a prediction."""


def usual_item(item: object, modality: Modality | None = None) -> object:
    """The item as {"id", "input", "output"} if its shape is a known one; else as it is. modality: of the task, if it is known."""
    if not isinstance(item, dict):
        return item
    if "trajectory" in item and "input" not in item and "output" not in item:
        return _grounding(item)
    if modality in (None, Modality.LANGUAGE):
        return item
    given = item.get("input")
    if isinstance(given, str) and looks_like_file(given):
        return item | {"input": {f"{'point_cloud' if modality is Modality.THREE_D else modality}_file": given}}
    return item


def _grounding(item: dict[str, object]) -> dict[str, object]:
    """A tube from its first frame up to, but without, its last: by frame, or one box a frame, which then counts its frames from 1."""
    boxes, start, end = item["trajectory"], frame_number(item.get("tube_start_frame")), frame_number(item.get("tube_end_frame"))
    output: dict[str, object] = {"label": ""}
    if isinstance(boxes, dict):
        inside = {
            key: box
            for key, box in boxes.items()
            if (frame := frame_number(key)) is None or ((start is None or start <= frame) and (end is None or frame < end))
        }
        output["boxes"] = inside
    else:
        output |= {"boxes": boxes, "start_frame": max((start or 1) - 1, 0)}
    known = {"trajectory", "tube_start_frame", "tube_end_frame", "original_video_id", "video_path", "caption", "frame_count", "id"}
    asked = {"question": item.get("caption"), "video_file": item.get("video_path")}
    return {
        "id": item.get("id", item.get("original_video_id")),
        "input": {key: value for key, value in asked.items() if value is not None},
        "output": output,
        **{key: value for key, value in item.items() if key not in known and not key.startswith(("width", "height", "fps"))},
    }
