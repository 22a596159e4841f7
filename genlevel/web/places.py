"""Where a single answer is: its run, task and key, as addresses say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.web.page import Asked

MEDIA_OF: Mapping[str, ev.MediaOf] = {
    "question": ev.MEDIA_OF_QUESTION,
    "answer": ev.MEDIA_OF_ANSWER,
    "label": ev.MEDIA_OF_LABEL,
}


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """One answer of a run."""

    run: str
    task: str
    instance: str
    variant: int = 0
    repeat: int = 0
    shuffle: int = 0

    @classmethod
    def of(cls, run: str, found: ev.FoundAnswer | ev.ListAnswersResponse | sc.ListInstancesResponse) -> AnswerPlace:
        """Of an answer that a service told of."""
        return cls(run, found.task, found.instance_id, found.variant, found.repeat, found.shuffle)

    @classmethod
    def asked(cls, asked: Asked) -> AnswerPlace:
        """Of a request. Raises UsageError."""
        task, instance = asked.exact("task"), asked.exact("instance")
        if not task or not instance:
            raise UsageError(f"{'instance' if task else 'task'} is missing in the address: open an answer from the run's list of answers")
        variant, repeat, shuffle = (asked.whole(name, 0, most=2**32 - 1) for name in ("variant", "repeat", "shuffle"))
        return cls(asked.path["run"], task, instance, variant, repeat, shuffle)

    @property
    def key(self) -> AnswerKey:
        """Which answer of its task it is."""
        return AnswerKey(self.instance, self.variant, self.repeat, self.shuffle)

    def answer_address(self, more: Sequence[tuple[str, str]] = ()) -> str:
        """The page of the answer. more: further names and values, such as the filter that it was found by."""
        return self._address("answer", more)

    def media_address(self, of: str, position: int, form: str = "") -> str:
        """A medium of its question, answer or label. of: a name in MEDIA_OF. form: what it is made into; "": as it is."""
        return self._address("media", [("of", of), ("position", str(position)), *([("as", form)] if form else [])])

    def frame_address(self, position: int, frame: int) -> str:
        """A frame, from 0, of a video of its question, as a picture."""
        return self.media_address("question", position, "png") + f"&frame={frame}"

    def mask_address(self, of: str, frame: int = 0) -> str:
        """The masks of its answer or label in a frame as a picture to be laid over the question's."""
        return self._address("mask", [("of", of), *([("frame", str(frame))] if frame else [])])

    def _address(self, page: str, more: Sequence[tuple[str, str]]) -> str:
        which = [(name, str(number)) for name, number in zip(("variant", "repeat", "shuffle"), self.key[1:], strict=True) if number]
        query = [("task", self.task), ("instance", self.instance), *which, *more]
        return f"/runs/{quote(self.run, safe='')}/{page}?{urlencode(query)}"

    def request(self, of: ev.MediaOf, position: int, offset: int = 0, length: int = 0) -> ev.ReadMediaRequest:
        """What reads one of its media."""
        return ev.ReadMediaRequest(
            run_id=self.run,
            task=self.task,
            instance_id=self.instance,
            variant=self.variant,
            repeat=self.repeat,
            shuffle=self.shuffle,
            of=of,
            position=position,
            offset=offset,
            length=length,
        )
