"""Reading one task folder: every item of its annotation becomes one instance, in order, whatever shape it has.

An item that cannot be asked becomes an instance with a problem, never nothing; a file that cannot be read any further raises
DatasetError. Memory does not grow with the number of items.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path

from genlevel.benchmark.annotation import Envelope, read_envelope, stream_items
from genlevel.benchmark.anomalies import is_anomaly
from genlevel.benchmark.answer_kinds import KINDS, AnswerType
from genlevel.benchmark.answer_types import TaskFacts, asks_choice, is_multiple_choice, task_answer_type
from genlevel.benchmark.asking import Asking, ItemProblem, TaskAsking, asking
from genlevel.benchmark.choices import LETTERS, lettered_options, to_letter
from genlevel.benchmark.clusters import shared_by
from genlevel.benchmark.forms import normal_form
from genlevel.benchmark.frames import PICTURES
from genlevel.benchmark.item_shapes import usual_item
from genlevel.benchmark.items import read_items
from genlevel.benchmark.label_files import with_files
from genlevel.benchmark.labels import LabelKinds, acceptable, find_label, is_number, written_length
from genlevel.benchmark.media import MediaPlace, MediaProblem, find_media, media_place, named_media
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.benchmark.texts import normal_text

UNREADABLE = "parts of labels cannot be read as items"
UNBALANCED = "labels have unbalanced brackets, though all their parts could be read"
_EMPTY = "its label is empty, so it cannot be scored"

_RANKINGS = ("average_precision", "auc")
_RANKED_TYPES = (AnswerType.BOXES, AnswerType.MASKS)
_RANKED_BY_CONFIDENCE = ("average_precision", "ap_at_iou", "map")
_NUMBER_METRICS = (*_RANKINGS, "mae", "rmse")
MISSING_MEDIA = ".missing"
_OWN_PLACES = frozenset(("input", "dialog", "dialogue", "output", "id"))


@dataclass(slots=True)
class Survey:
    """What one pass over an annotation file says: its envelope, how many items, and what their labels and ids look like.

    longest_label: bytes of the longest output.
    """

    envelope: Envelope = field(default_factory=Envelope)
    count: int = 0
    kinds: LabelKinds = field(default_factory=LabelKinds)
    repeated: frozenset[int] = frozenset()
    missing_ids: int = 0
    longest_label: int = 0

    @property
    def renumbered(self) -> bool:
        """Whether ids as written do not tell the items apart."""
        return bool(self.repeated or self.missing_ids)


def survey(path: Path, on_item: Callable[[int, str, object], None] | None = None) -> Survey:
    """Reads an annotation file once. Raises DatasetError naming file and item if it is broken.

    on_item: sees the position, the id as written and the item, of a file that was surveyed before (see ``read_envelope``, at_once); how
    long labels are is then left out.
    """
    found = Survey()
    hashes = array("q")

    def see(written_item: object) -> None:
        item = usual_item(written_item)
        written = written_id(item)
        if on_item is not None:
            on_item(found.count, written, written_item)
        found.count += 1
        if written:
            hashes.append(hash(written))
        else:
            found.missing_ids += 1
        if isinstance(item, dict):
            given = item.get("input")
            options = given.get("options") if isinstance(given, dict) else None
            found.kinds.add(find_label(item), len(options) if isinstance(options, list) else 0)
            if on_item is None:
                found.longest_label = max(found.longest_label, written_length(item.get("output", "")))

    found.envelope = read_envelope(path, see, at_once=on_item is not None)
    found.repeated = frozenset(one for one, other in pairwise(sorted(hashes)) if one == other)
    return found


def written_id(item: object) -> str:
    """An item's id as the file has it; "" if it has none."""
    given = item.get("id") if isinstance(item, dict) else None
    return given.strip() if isinstance(given, str) else str(given) if isinstance(given, int | float) else ""


def _grouped(named: list[tuple[str, Modality, str]]) -> Iterator[tuple[Modality, list[str]]]:
    """Files by medium: pictures that one field names as a video are its frames, every other file is a medium of its own."""
    for (_, modality), group in groupby(named, key=lambda entry: entry[:2]):
        paths = [path for _, _, path in group]
        if modality is Modality.VIDEO and len(paths) > 1 and all(path.casefold().endswith(PICTURES) for path in paths):
            yield modality, paths
        else:
            yield from ((modality, [path]) for path in paths)


def _object(item: object) -> dict[str, object]:
    """The item. Raises ItemProblem if it is no object."""
    if not isinstance(item, dict):
        raise ItemProblem("it is not an object with input and output")
    return item


def _is_blank(label: object) -> bool:
    """Whether a label is there and says nothing."""
    return acceptable(label) is None if isinstance(label, str | list) else label == {}


def _is_measured(facts: TaskFacts, usual: AnswerType) -> bool:
    """Whether labels are not texts: structures, files, code, and numbers that are more than words."""
    return facts.metric_id in _NUMBER_METRICS if usual is AnswerType.NUMBER else KINDS[usual].formed


def _usual_details(facts: TaskFacts, usual: AnswerType) -> dict[str, str]:
    """Details of every instance that asks for the task's usual type of answer."""
    details = {}
    if usual is AnswerType.BOXES:
        details["bbox_format"] = "x, y, width, height"
    if usual is AnswerType.NUMBER and facts.metric_id in _RANKINGS:
        details["number"] = "anomaly"
    if usual in _RANKED_TYPES and facts.metric_id in _RANKED_BY_CONFIDENCE:
        details["confidence"] = "asked"
    return details


class Reader:
    """Turns the items of one annotation into instances."""

    def __init__(self, annotation: Path, folder: Path, root: Path, found: Survey, facts: TaskFacts) -> None:
        self._annotation = annotation
        self._survey = found
        self._facts = facts
        self._place: MediaPlace = media_place(folder, root, annotation)
        self._usual = task_answer_type(facts)
        self._asking = TaskAsking(found.envelope.prompt, " \n".join((f"{facts.name}.", facts.type, facts.skill)))
        self._renumbered = found.renumbered
        self._asks_choice = asks_choice(facts, self._usual)
        self._is_multiple_choice = is_multiple_choice(facts)
        self._has_letters = self._is_multiple_choice or 0 < found.kinds.letters == found.kinds.labelled
        self._is_measured = _is_measured(facts, self._usual)
        self._usual_details = _usual_details(facts, self._usual)

    @property
    def answer_type(self) -> AnswerType:
        """The answer type of items that offer no options."""
        return self._usual

    def instances(self, positions: Iterable[int] | None = None, *, look_inside: bool = True, with_media: bool = True) -> Iterator[Instance]:
        """Instances in file order, only these positions if given.

        look_inside: read media files' first bytes. with_media: media have to be there; to hold answers against labels needs none, and
        one that is missing is then a path at which nothing lies.
        """
        wanted = None if positions is None else frozenset(positions)
        last = max(wanted, default=-1) if wanted is not None else None
        with closing(stream_items(self._annotation, sound=self._survey.count)) as items:
            for position, item in enumerate(items):
                if last is not None and position > last:
                    return
                if wanted is None or position in wanted:
                    yield self._instance(item, position, look_inside, with_media)

    def instance(self, item: object, position: int) -> Instance:
        """The instance that an item of the annotation is, as ``instances`` gives it."""
        return self._instance(item, position, look_inside=True, with_media=True)

    def shared(self, key: str) -> Iterator[str]:
        """Of each item in order what its instance shares with others about the same thing, as ``shared_by`` says; key: of the task.

        It takes less time than ``instances``: no medium is looked into, and no label is read that could not be a problem.
        """
        with closing(stream_items(self._annotation, sound=self._survey.count)) as items:
            for written in items:
                try:
                    yield self._shared(usual_item(written, self._facts.modality), key)
                except (ItemProblem, MediaProblem, RecursionError):
                    yield ""

    def _shared(self, item: object, key: str) -> str:
        """See ``shared``. Raises as ``_read`` does."""
        item = _object(item)
        media, asked = self._asked(item, look_inside=False, needed=True)
        if self._is_measured:
            raw = find_label(item, self._usual)
            self._label(raw, self._offered(asked, raw)[1])
        return shared_by([file.path.as_posix() for file in media], asked.context, key)

    def remarks(self, *, look_inside: bool = False) -> Iterator[tuple[Instance, str, int]]:
        """What to report: an instance with a problem, or one with a remark on its label and how often that holds in it.

        look_inside: read media files' first bytes too.
        """
        with closing(stream_items(self._annotation, sound=self._survey.count)) as items:
            for position, item in enumerate(items):
                instance = self._instance(item, position, look_inside=look_inside, with_media=True)
                remark, amount = self._remark(item, instance)
                if instance.problem or remark:
                    yield instance, remark, amount

    def _instance(self, written_item: object, position: int, look_inside: bool, with_media: bool) -> Instance:
        item = usual_item(written_item, self._facts.modality)
        instance_id = self._unique_id(written_id(item), position)
        try:
            return self._read(item, instance_id, position, look_inside, with_media)
        except (ItemProblem, MediaProblem) as problem:
            reason = str(problem)
        except RecursionError:
            reason = "nested too deeply"
        where = f"{self._annotation}: item {position} (id {written_id(item)!r})"
        return Instance(instance_id, position, "", self._usual, problem=f"{where}: {reason}")

    def _unique_id(self, written: str, position: int) -> str:
        """The id as written if ids tell all items apart; else every doubtful one gets "#position", which no other then has."""
        if not self._renumbered:
            return written
        _, sign, tail = written.rpartition("#")
        doubtful = not written or hash(written) in self._survey.repeated or (sign and tail.isdigit())
        return f"{written}#{position}" if doubtful else written

    def _asked(self, item: dict[str, object], *, look_inside: bool, needed: bool) -> tuple[tuple[MediaFile, ...], Asking]:
        """The media of an item, and what it asks. Raises ItemProblem, MediaProblem."""
        given = item.get("input")
        named = named_media(given) if isinstance(given, dict) else []
        named += named_media(item, _OWN_PLACES)
        asked = asking(item, [key for key, _, _ in named], self._asking)
        media = tuple([self._media(paths, modality, look_inside, needed) for modality, paths in _grouped(named)]) if named else ()
        if not (asked.own or asked.context or asked.dialog or named):
            raise ItemProblem("it asks nothing: no prompt, question, text or file")
        return media, asked

    def _read(self, item: object, instance_id: str, position: int, look_inside: bool, with_media: bool) -> Instance:
        item = _object(item)
        media, asked = self._asked(item, look_inside=look_inside, needed=with_media)
        raw = find_label(item, self._usual)
        prompt, options = self._offered(asked, raw)
        answer_type, label = self._label(raw, options)
        details = asked.details
        if answer_type is self._usual:
            details |= self._usual_details
        if asked.dialog and asked.own:
            details["dialog"] = "context"
        if self._facts.metric_id == "rms" and self._survey.envelope.depth_unit:
            details["depth_unit"] = self._survey.envelope.depth_unit
        return Instance(
            instance_id,
            position,
            prompt,
            answer_type,
            label,
            asked.context,
            options,
            asked.dialog,
            media,
            details,
            longest_label=self._survey.longest_label,
        )

    def _media(self, paths: list[str], modality: Modality, look_inside: bool, needed: bool) -> MediaFile:
        """One medium: a file, or a video of several frames."""
        if len(paths) > 1:
            found = [self._file(path, modality, look_inside, needed).path for path in paths]
            return MediaFile(modality, found[0].parent, "inode/directory", tuple(found))
        return self._file(paths[0], modality, look_inside, needed)

    def _file(self, path: str, modality: Modality, look_inside: bool, needed: bool) -> MediaFile:
        try:
            return find_media(self._place, path, modality, look_inside=look_inside and needed)
        except MediaProblem:
            if needed:
                raise
            # What is written may lead anywhere; its hash still tells it apart from others.
            name = hashlib.sha256(path.encode("utf-8", "backslashreplace")).hexdigest()
            return MediaFile(modality, self._place.folder / MISSING_MEDIA / name, "")

    def _offered(self, asked: Asking, raw: object) -> tuple[str, tuple[str, ...]]:
        """An item's prompt and its options, which may stand in the prompt. raw: its label as written."""
        if asked.options or not (self._asks_choice and self._has_letters):
            return asked.prompt, asked.options
        return self._lettered_options(asked.prompt, raw)

    def _lettered_options(self, asked: str, raw: object) -> tuple[str, tuple[str, ...]]:
        """A prompt without the options that stand in its own text, and these; none if the label is not among them."""
        prompt, options = lettered_options(asked)
        try:
            if options and raw is not None:
                to_letter(raw, options, self._survey.kinds)
        except ValueError:
            return asked, ()
        return prompt, options

    def _label(self, raw: object, options: tuple[str, ...]) -> tuple[AnswerType, object]:
        """Answer type and label in normal form. A choice whose label is not one of its options is asked as a label.

        An empty label counts as no label. But an empty list, if a list is asked for, says that there is nothing to find.
        """
        if not self._is_measured and _is_blank(raw) and not (self._usual is AnswerType.ITEMS and isinstance(raw, list)):
            raw = None
        if self._asks_choice and (len(options) > 1 or self._is_bare_letter(raw, options)):
            if raw is None:
                return AnswerType.CHOICE, None
            try:
                return AnswerType.CHOICE, to_letter(raw, options, self._survey.kinds)
            except ValueError:
                return AnswerType.LABEL, acceptable(raw)
        match self._usual:
            case _ if raw is None:
                return self._usual, None
            case _ if self._is_measured and self._usual is not AnswerType.NUMBER:
                return self._usual, self._structure(raw)
            case AnswerType.ITEMS:
                return self._usual, [self._option_text(item, options) for item in read_items(raw).items]
            case AnswerType.NUMBER if self._is_measured:
                return self._usual, [self._number(raw, options)]
            case _:
                return self._usual, acceptable(raw)

    def _structure(self, raw: object) -> object:
        """A label that is not text, in normal form. Raises MediaProblem, or ItemProblem if it cannot be read."""
        modality = self._facts.modality
        try:
            label = with_files(raw, self._usual, self._place, modality)
            return normal_form(self._usual, label, box_format=self._survey.envelope.bbox_format, modality=modality)
        except ValueError as error:
            raise ItemProblem(_EMPTY if _is_blank(raw) else f"its label: {error}") from None
        except MediaProblem as problem:
            raise ItemProblem(f"its label: {problem}") from None

    def _number(self, raw: object, options: tuple[str, ...]) -> str:
        """The number that an error or ranking is measured against (anomaly 1, none 0). Raises ItemProblem if it is not a number."""
        if _is_blank(raw) and not (isinstance(raw, list) and self._facts.metric_id in _RANKINGS):
            raise ItemProblem(_EMPTY)
        if self._facts.metric_id in _RANKINGS:
            return str(int(is_anomaly(raw, options)))
        texts = acceptable(raw) or [""]
        if not is_number(texts[0]):
            raise ItemProblem(f"its label: {texts[0][:60]!r} is not a number")
        return texts[0]

    def _option_text(self, item: str, options: tuple[str, ...]) -> str:
        """An item of a label, as its option's text if it is an option: labels may have letters of options, which models do not see."""
        if not options:
            return item
        normal = normal_text(item)
        if any(normal_text(option) == normal for option in options):
            return item
        try:
            return options[LETTERS.index(to_letter(item, options, self._survey.kinds))]
        except ValueError:
            return item

    def _is_bare_letter(self, raw: object, options: tuple[str, ...]) -> bool:
        if options or not self._is_multiple_choice:
            return False
        try:
            return raw is None or bool(to_letter(raw, (), self._survey.kinds))
        except ValueError:
            return False

    def _remark(self, written_item: object, instance: Instance) -> tuple[str, int]:
        if instance.problem or (instance.label is not None and instance.answer_type not in (AnswerType.LABEL, AnswerType.ITEMS)):
            return "", 0
        item = usual_item(written_item, self._facts.modality)
        raw = find_label(item, self._usual) if isinstance(item, dict) else None
        if raw is None:
            return "", 0
        if instance.answer_type is AnswerType.LABEL and len(instance.options) > 1:
            try:
                to_letter(raw, instance.options, self._survey.kinds)
            except ValueError as error:
                return f"{error}; asked as a free label", 1
        if instance.answer_type is AnswerType.ITEMS:
            read = read_items(raw)
            if read.unreadable:
                return UNREADABLE, read.unreadable
            if read.unbalanced:
                return UNBALANCED, 1
        return (_EMPTY, 1) if instance.label is None else ("", 0)
