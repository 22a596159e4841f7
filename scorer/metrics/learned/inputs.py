"""What metrics of networks read of a question and its answer: files, pictures, clips, sounds, and the words that say what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from genlevel.benchmark.answer_kinds import KINDS
from scorer.media import Undecodable
from scorer.metrics.base import NotComparable, Question, UnreadableAnswer, acceptable
from scorer.metrics.entries import files_in
from scorer.models.ports import Clip, Picture, Sound
from scorer.parsers import Parsed
from scorer.parsers.values import Structured

T = TypeVar("T")

_NAMED_LINE = re.compile(r"^(\w[\w -]{0,40}): (\S.*)$", re.MULTILINE)
LONGEST_SHAPE = 64
MOST_FRAME_PIXELS = 1920 * 1088
VIDEO_VIEWS = 16
"""Frames of a video, evenly spread, that stand for it if not all are looked at: as many as VBench takes for detection."""
_DESCRIPTION = ("caption", "text", "prompt", "description", "instruction")


def answer_files(answer: Parsed, question: Question) -> list[str]:
    """The files of the answer, at least one. Raises NotComparable for answers that are not media, UnreadableAnswer without a file."""
    if not isinstance(answer, Structured):
        raise NotComparable(f"answers of type '{question.answer_type}' are not media")
    found = files_in(answer.value)
    if not found:
        raise UnreadableAnswer("the answer has no file")
    return found


def label_files(question: Question) -> list[str]:
    """The files of the label, at least one. Raises NotComparable if the label names none."""
    found = files_in(question.label)
    if not found:
        raise NotComparable(f"the label {str(question.label)[:80]!r} names no file to compare with")
    return found


def of_answer(read: Callable[[str], T], path: str) -> T:
    """What ``read`` makes of an answer's file. Raises UnreadableAnswer if it cannot be decoded."""
    try:
        return read(path)
    except Undecodable as problem:
        raise UnreadableAnswer(str(problem)) from None


def of_label(read: Callable[[str], T], path: str) -> T:
    """What ``read`` makes of a file of the dataset's. Raises NotComparable if it cannot be decoded."""
    try:
        return read(path)
    except Undecodable as problem:
        raise NotComparable(f"the label's file cannot be read: {problem}") from None


def views(path: str) -> list[Picture]:
    """uint8 (H, W, 3) pictures that show a file: a picture itself, 16 frames of a video, 8 sides of a shape. Raises Undecodable."""
    from scorer.media.views import is_shape
    from scorer.media.views import views as sides

    return list(sides(path)) if is_shape(path) else list(clip(path, VIDEO_VIEWS))


def clip(path: str, count: int) -> list[Picture]:
    """At most ``count`` frames, evenly spread from the first to the last, each once. Raises Undecodable.

    The file is decoded twice, so that a long video does not lie in memory.
    """
    import numpy as np

    from scorer.media.video import read_frames

    total = sum(1 for _frame in read_frames(path))
    wanted = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
    return [looked_at(frame) for index, frame in enumerate(read_frames(path)) if index in wanted]


def looked_at(frame: Picture) -> Picture:
    """A picture as networks are shown it: at most 2 megapixels. Raises Undecodable for one over 64 times as long as wide.

    Networks make the shorter side 224: a strip of one pixel's width would become a picture too large for any memory.
    """
    height, width = frame.shape[:2]
    if max(height, width) > LONGEST_SHAPE * min(height, width):
        raise Undecodable(f"it is a strip of {width} x {height} pixels, too thin for any network")
    if height * width <= MOST_FRAME_PIXELS:
        return frame
    import numpy as np
    from PIL import Image

    scale = (MOST_FRAME_PIXELS / (height * width)) ** 0.5
    size = max(1, int(width * scale)), max(1, int(height * scale))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


def same_size(frames: list[Picture]) -> Clip:
    """uint8 (T, H, W, 3). Raises Undecodable for frames of different sizes."""
    import numpy as np

    if len({frame.shape for frame in frames}) != 1:
        raise Undecodable("its frames have different sizes")
    return np.stack(frames)


def chunks(frames: Iterator[T], size: int = 32) -> Iterator[list[T]]:
    """Frames in lists of at most ``size``, so that a video is never in memory as a whole."""
    held: list[T] = []
    for frame in frames:
        held.append(frame)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


def sound(path: str, rate: int) -> Sound:
    """float64 (samples,) at ``rate``. Raises Undecodable."""
    from scorer.media.audio import read_audio

    samples = read_audio(path, rate)[0]
    if not len(samples):
        raise Undecodable("it has no samples")
    return samples


def said(question: Question, *keys: str) -> list[str]:
    """The texts under the first of these names that the instance's details, label or question has; [] if they have none of them.

    Several fields of an annotation's input stand in the question as lines "name: text".

    >>> said(Question("media", None, prompt="source_prompt: winter\\ntarget_prompt: summer\\n\\nTranslate."), "target_prompt")
    ['summer']
    """
    sources: list[Mapping[str, object]] = [question.details, *(_dicts(question.label)), dict(_NAMED_LINE.findall(question.prompt))]
    for key in keys:
        for source in sources:
            folded = {str(name).casefold().replace(" ", "_").replace("-", "_"): value for name, value in source.items()}
            found = acceptable(folded.get(key))
            if any(text.strip() for text in found):
                return [text for text in found if text.strip()]
    return []


def description(question: Question) -> str:
    """What the answer should show or sound like: details or label under "caption", "text", "prompt", ..., a label of text, or what was
    asked.

    Raises NotComparable if nothing says it.
    """
    found = said(question, *_DESCRIPTION) or _label_texts(question) or [question.prompt]
    if not found[0].strip():
        raise NotComparable("no text says what the answer should show: neither the label nor the prompt")
    return found[0].strip()


def _label_texts(question: Question) -> list[str]:
    if not KINDS[question.answer_type].names_files or not files_in(question.label):
        return [text for text in acceptable(question.label) if text.strip()]
    return []


def _dicts(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        return [value]
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
