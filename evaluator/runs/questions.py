"""Questions of journalled answers, from the suite that was asked, and the facts of their media."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from itertools import dropwhile
from pathlib import Path

from evaluator.journal.records import Answer
from evaluator.planning.prompts import PromptSet, prompt_text, sent_size
from genlevel.benchmark import mime
from genlevel.benchmark.label_files import files_in
from genlevel.benchmark.last_tasks import LastTasks
from genlevel.benchmark.model import Instance
from genlevel.benchmark.pictures import picture_size
from genlevel.runtime.errors import GenlevelError
from genlevel.v1 import evaluator_pb2 as ev

_QUESTIONS_TOGETHER = 20_000
"""Instances of several tasks that are read from a suite at a time: each time its folders are looked through."""
MOST_FACTS = 200
"""Media of one instance whose facts are told. A label may name a mask for each of ten thousand frames."""


class Questions:
    """The instances of a list of answers that comes task by task, by way of their suite.

    last: what is known of tasks already.
    place: of the suite. asked: ids by task. Of what is no longer there, or cannot be read, there is none. prompts: of the version that the
    run was asked by. video_frames: as of its model's route.
    """

    def __init__(
        self, last: LastTasks, place: str | Path | None, asked: Mapping[str, Sequence[str]], prompts: PromptSet, video_frames: int
    ) -> None:
        self._last = last
        self._prompts = prompts
        self._video_frames = video_frames
        self._place = place
        self._asked = asked
        self._read: dict[str, dict[str, Instance]] = {}

    def prompt_of(self, instance: Instance) -> str:
        """What was asked."""
        template = self._prompts.for_instance(instance)
        if template is None:
            return instance.prompt
        return prompt_text(instance, template, sent_size(instance, template, self._video_frames))

    def of(self, answer: Answer) -> Instance | None:
        """The instance that an answer is to; None if the suite does not have it any more."""
        if answer.task not in self._read:
            self._read = self._from(answer.task)
        return self._read[answer.task].get(answer.instance_id)

    def _from(self, first: str) -> dict[str, dict[str, Instance]]:
        """The instances of a task and of those that come next."""
        wanted: dict[str, Sequence[str]] = {first: self._asked.get(first, ())}
        for task, ids in dropwhile(lambda item: item[0] != first, self._asked.items()):
            if task != first and sum(map(len, wanted.values())) + len(ids) > _QUESTIONS_TOGETHER:
                break
            wanted[task] = ids
        found: dict[str, dict[str, Instance]] = {}
        if self._place is not None:
            with contextlib.suppress(GenlevelError):
                found = self._last.find(self._place, wanted)
        return {task: found.get(task, {}) for task in wanted}


def question_facts(instance: Instance) -> list[ev.MediaFact]:
    """Of the media of a question, in its order; sizes in pixels as labels have them."""
    found = []
    for media in instance.media[:MOST_FACTS]:
        fact = _fact(media.path)
        if (size := picture_size(media)) is not None:
            fact.width, fact.height = size.width, size.height
        found.append(fact)
    return found


def label_facts(instance: Instance) -> list[ev.MediaFact]:
    """Of the files that a label consists of, in its order."""
    return [_fact(Path(path)) for path in files_in(instance.label)[:MOST_FACTS]]


def _fact(path: Path) -> ev.MediaFact:
    """By the file alone; without its size if it is gone."""
    fact = ev.MediaFact(name=path.name)
    with contextlib.suppress(OSError):
        if path.is_dir():
            fact.mime_type = "inode/directory"
        else:
            fact.bytes = path.stat().st_size
            with path.open("rb") as file:
                fact.mime_type = mime.mime_type(file.read(mime.HEAD_BYTES))
    return fact
