"""Which kind of answer a task asks for, from its type, metric, modality and what its labels look like.

Decided for a whole task, so that a prompt never betrays the label of its own instance; only options that stand in an item's
input make that item multiple choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, called, scored_by, text_types
from genlevel.benchmark.labels import LabelKinds
from genlevel.benchmark.model import Modality, Paradigm, TaskMetric

# Labels of more words than this on average are asked for as long texts.
_SHORT_WORDS = 12.0

_LONG_TYPES = (
    "dialog",
    "summar",
    "translat",
    "code",
    "sql",
    "story",
    "caption",
    "proof",
    "generation",
    "explanation",
    "paraphrase",
    "style",
)
_MEDIA_OUT = (
    "mask",
    "image",
    "video",
    "audio",
    "speech",
    "music",
    "pointcloud",
    "point cloud",
    "3d",
    "mesh",
    "depth",
    "flow",
    "segmentation",
)
_CHOICE_METRICS = frozenset(("accuracy", "macro_accuracy", "exact_match", "micro_f1", "f1"))


def scorable(metric: TaskMetric) -> frozenset[AnswerType]:
    """The answer types that a task's metric can score."""
    return scored_by(metric.id, dict(metric.parameters).get("of", ""))


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What is known of a task as a whole."""

    name: str
    type: str = ""
    skill: str = ""
    modality: Modality = Modality.LANGUAGE
    paradigm: Paradigm | None = None
    metric: TaskMetric | None = None
    out: tuple[str, ...] = ()
    kinds: LabelKinds = field(default_factory=LabelKinds)

    @property
    def metric_id(self) -> str:
        """The metric's id; "" if none is known."""
        return self.metric.id if self.metric is not None else ""

    @property
    def of(self) -> str:
        """What the metric compares ("boxes", "items", ...), if its label alone does not say."""
        return dict(self.metric.parameters).get("of", "") if self.metric is not None else ""

    def says(self, *words: str) -> bool:
        """Whether the task's type, skill or name has one of these words in it."""
        text = f"{self.type} {self.skill} {self.name}".casefold().replace("_", " ").replace("-", " ")
        return any(word in text for word in words)


def task_answer_type(facts: TaskFacts) -> AnswerType:
    """The answer type of a task's items that offer no options."""
    if facts.paradigm is Paradigm.GENERATION and facts.modality is not Modality.LANGUAGE:
        return AnswerType.MEDIA
    if facts.metric is not None and (types := scorable(facts.metric)) != text_types():
        return _by_metric(facts, types)
    if facts.metric is None:
        if any("box" in out for out in facts.out) or facts.kinds.boxes > facts.kinds.labelled / 2:
            return _BOXES_OF.get(facts.modality, AnswerType.STRUCTURE)
        if any(word in out for out in facts.out for word in _MEDIA_OUT):
            return AnswerType.MEDIA
    return _of_text(facts)


_BOXES_OF = {Modality.IMAGE: AnswerType.BOXES, Modality.THREE_D: AnswerType.BOXES_3D}


def _by_metric(facts: TaskFacts, types: frozenset[AnswerType]) -> AnswerType:
    """The type of answers to a metric that does not compare texts."""
    if len(types) == 1:
        return next(iter(types))
    if facts.metric_id in ("mae", "rmse"):
        if facts.modality not in (Modality.IMAGE, Modality.LANGUAGE) or facts.kinds.files > facts.kinds.labelled / 2:
            return AnswerType.MEDIA  # a normal a point, a picture: more than a text can hold
        return AnswerType.NUMBER if 2 * facts.kinds.numbers >= facts.kinds.labelled and not _is_series(facts) else AnswerType.SERIES
    if facts.metric_id == "auc":
        return AnswerType.NUMBER
    if facts.metric_id in ("mos", "user_preference"):
        return _of_text(facts)  # people can rate anything; if media are to be made, the task is one of generation
    # Word errors: what is heard is written down; only generation tasks speak.
    return AnswerType.LONG_TEXT


def _is_series(facts: TaskFacts) -> bool:
    """Whether a task without labels forecasts rather than counts."""
    return not facts.kinds.labelled and facts.says("series", "forecast")


def _of_text(facts: TaskFacts) -> AnswerType:
    kinds, metric = facts.kinds, facts.metric_id
    named = called(facts.type)
    if named is not None and not KINDS[named].offers_options:
        return named
    if kinds.structures > kinds.labelled / 2 and facts.metric is None and not _is_extraction(facts):
        return AnswerType.STRUCTURE
    if _is_extraction(facts):
        return AnswerType.ITEMS
    if metric == "micro_f1" or facts.says("classification", "categor"):
        several = kinds.lists or kinds.structures or (kinds.with_commas and facts.says("multi label", "categor"))
        return AnswerType.ITEMS if metric == "micro_f1" and several else AnswerType.LABEL
    if not metric and facts.says("code generation", "code repair"):
        return AnswerType.CODE
    if metric in ("accuracy", "exact_match", "macro_accuracy", "f1", ""):
        return _label_or_text(facts)
    if metric == "anls":
        return AnswerType.SHORT_TEXT
    if metric == "gpt_score" or (facts.type.casefold() not in _OPEN_TYPES and facts.says(*_LONG_TYPES)):
        return AnswerType.LONG_TEXT
    return _by_length(facts)


_OPEN_TYPES = ("openqa", "open qa", "qa")


def _is_extraction(facts: TaskFacts) -> bool:
    if facts.of == "items":
        return True
    if is_multiple_choice(facts) or "classif" in facts.type.casefold():
        return False
    extracts = (
        "extraction",
        " ner",
        "named entity",
        "parsing",
        "meaning representation",
        "labeling",
        "part of speech",
        "triplet",
        "quad",
        "quintuple",
        "absa",
        "docre",
        "pair",
    )
    return facts.metric_id == "micro_f1" and facts.says(*extracts)


def _label_or_text(facts: TaskFacts) -> AnswerType:
    kinds = facts.kinds
    if kinds.numbers and kinds.numbers == kinds.labelled:
        # All labels are numbers: a class id if the task classifies, else a quantity.
        return AnswerType.LABEL if facts.says("detection", "recognition", "matching") else AnswerType.NUMBER
    if facts.says("question answering", "vqa", "openqa", " qa", "reasoning", "dialog") or facts.of == "tokens":
        if facts.says("recognition", "sarcasm"):
            return AnswerType.LABEL
        return AnswerType.LONG_TEXT if kinds.mean_words > _SHORT_WORDS else AnswerType.SHORT_TEXT
    if not facts.metric_id:
        return AnswerType.LONG_TEXT if facts.says(*_LONG_TYPES) else _by_length(facts)
    return _by_length(facts) if kinds.mean_words > _SHORT_WORDS else AnswerType.LABEL


def _by_length(facts: TaskFacts) -> AnswerType:
    return AnswerType.LONG_TEXT if facts.kinds.mean_words > _SHORT_WORDS else AnswerType.SHORT_TEXT


def asks_choice(facts: TaskFacts, usual: AnswerType) -> bool:
    """Whether an item that offers options is multiple choice under the task's metric; if several of them may be right it is not."""
    return (not facts.metric_id or facts.metric_id in _CHOICE_METRICS) and KINDS[usual].offers_options


def is_multiple_choice(facts: TaskFacts) -> bool:
    """Whether the annotation calls its task multiple choice, so that a bare letter is a choice even without options."""
    return called(facts.type) is AnswerType.CHOICE


def usual_metric(facts: TaskFacts) -> TaskMetric | None:
    """The metric for a task outside the benchmark, from the task's type; None if the type names none.

    Extraction: micro-F1 over items. Classification and multiple choice: accuracy. Open questions and dialogue: BLEU-1.
    """
    kind = facts.type.casefold()
    if called(kind) is AnswerType.ITEMS:
        return TaskMetric("micro_f1", "Micro-F1")
    if is_multiple_choice(facts) or "classification" in kind:
        return TaskMetric("accuracy", "ACC")
    if kind in (*_OPEN_TYPES, "dialogue", "dialog"):
        return TaskMetric("bleu_1", "BLEU-1", (("level", "sentence"),))
    return None
