"""What a judge model is asked about an answer, and what its reply says: wording as data with a version (judge_prompts.yaml). Pure.

The judged answer, the question and the reference are data: each stands between marker lines with a token that is a hash of all three, so no
text among them can close its own markers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import ascii_uppercase
from typing import NotRequired, TypedDict, cast

from evaluator.planning.schemas import ANSWER_KEY
from genlevel.benchmark.answer_kinds import KINDS, AnswerType
from genlevel.benchmark.model import Instance
from genlevel.runtime.yaml_text import read_shipped

_REASONING = re.compile(r"\A\s*<(think|thinking)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_SHOWN_REPLY = 120


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """How a judge has to reply. said: to the judge. line: what its text has to be; else key and allowed values of its JSON."""

    said: str
    line: re.Pattern[str] | None = None
    key: str = ""
    allowed: tuple[int | str, ...] = ()

    @property
    def schema(self) -> str:
        """The JSON schema of a reply; "" for a line of text."""
        if self.line is not None:
            return ""
        value = {"type": "integer" if isinstance(self.allowed[0], int) else "string", "enum": list(self.allowed)}
        document = {"type": "object", "additionalProperties": False, "required": [self.key], "properties": {self.key: value}}
        return json.dumps(document, separators=(",", ":"))

    def word(self, reply: str) -> str | None:
        """The number or word that a reply states; None if it is not in this form."""
        text = _REASONING.sub("", reply).strip()
        if self.line is not None:
            found = self.line.fullmatch(text)
            return found[1] if found else None
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        value = document.get(self.key) if isinstance(document, dict) and len(document) == 1 else None
        return str(value) if type(value) in (int, str) and value in self.allowed else None


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """How a judge is asked for one metric. hash: of the version and all of the wording, 12 hexadecimal digits."""

    metric: str
    version: str
    hash: str
    attempts: int
    system: str
    layout: tuple[str, ...]
    text: ReplyForm
    json: ReplyForm
    factor: float
    values: dict[str, float]
    reminder: str
    max_output_tokens: int
    needs_reference: bool

    def form(self, *, structured: bool) -> ReplyForm:
        """How the judge has to reply. structured: whether it can be held to a JSON schema."""
        return self.json if structured else self.text

    def takes(self, instance: Instance) -> bool:
        """Whether a judge that reads text can rate answers to this instance."""
        if not KINDS[instance.answer_type].judged:
            return False
        return not self.needs_reference or bool(reference_text(instance))


class _TextForm(TypedDict):
    form: str
    reply: str


class _JsonForm(TypedDict):
    form: str
    key: str
    values: list[int | str]


class _Metric(TypedDict):
    """How a metric's judge is asked, as it stands in judge_prompts.yaml."""

    system: str
    layout: list[str]
    text: _TextForm
    json: _JsonForm
    factor: NotRequired[float]
    values: NotRequired[dict[str, float]]
    reminder: str
    max_output_tokens: int
    needs_reference: NotRequired[bool]


class _Document(TypedDict):
    version: str
    attempts: int
    metrics: dict[str, _Metric]


@cache
def judge_prompts() -> dict[str, JudgePrompt]:
    """The shipped prompts by metric id."""
    text = resources.files("evaluator.planning").joinpath("judge_prompts.yaml").read_text(encoding="utf-8")
    document = cast(_Document, read_shipped(text))
    return {name: _prompt(name, document, entry) for name, entry in document["metrics"].items()}


def question_blocks(prompt: JudgePrompt, instance: Instance, raw_answer: str, form: ReplyForm) -> str:
    """The judge's question about one answer.

    If two answers are compared, the instance's id decides which of them comes first, so that a judge's liking for one place evens out.
    """
    question, reference, answer = question_text(instance), reference_text(instance), answer_text(raw_answer)
    token = _token(question, reference, answer)
    first, second = (answer, reference) if answer_is_first(instance.id) else (reference, answer)
    content = {
        "{question}": _fenced("instruction", question, token),
        "{media}": _media_text(instance),
        "{reference}": _fenced("reference answer", reference, token),
        "{answer}": _fenced("answer to rate", answer, token),
        "{one}": _fenced("answer ONE", first, token),
        "{two}": _fenced("answer TWO", second, token),
    }
    blocks = (content[block] if block in content else block.replace("{form}", form.said) for block in prompt.layout)
    return "\n\n".join(text for block in blocks if (text := block.strip()))


def rating_in(prompt: JudgePrompt, reply: str, instance_id: str, form: ReplyForm) -> float | None:
    """The rating that a reply states, in the scale of the metric's ratings; None if it is not in the form asked for.

    Nothing but that may be there (and reasoning in tags before it): a longer reply could quote the answer that it judges.
    """
    said = form.word(reply)
    if said is None:
        return None
    if not prompt.values:
        return prompt.factor * float(said)
    if said == "TIE":
        return prompt.values["tie"]
    return prompt.values["answer" if (said == "ONE") == answer_is_first(instance_id) else "reference"]


def answer_text(raw: str) -> str:
    """An answer as a judge sees it: without reasoning in tags, and without the JSON object that a schema may have put around it."""
    text = _REASONING.sub("", raw).strip()
    if not text.startswith("{"):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = document.get(ANSWER_KEY) if isinstance(document, dict) and len(document) == 1 else None
    return inner.strip() if isinstance(inner, str) and inner.strip() else text


def answer_is_first(instance_id: str) -> bool:
    """Whether the model's answer is ONE, and not TWO."""
    return hashlib.sha256(instance_id.encode("utf-8", "surrogatepass")).digest()[0] % 2 == 0


def question_text(instance: Instance) -> str:
    """What was asked, without the form of the answer."""
    options = "\n".join(f"{letter}. {option}" for letter, option in zip(ascii_uppercase, instance.options, strict=False))
    dialog = "\n".join(f"Speaker {1 + turn % 2}: {line}" for turn, line in enumerate(instance.dialog))
    return "\n\n".join(block.strip() for block in (instance.context, dialog, instance.prompt, options) if block.strip())


def reference_text(instance: Instance) -> str:
    """The label as text: any of several is right; empty if there is none."""
    label = instance.label
    if isinstance(label, str):
        letters = dict(zip(ascii_uppercase, instance.options, strict=False))
        return f"{label}. {letters[label]}" if instance.answer_type is AnswerType.CHOICE and label in letters else label
    if isinstance(label, list) and all(isinstance(entry, str) for entry in label):
        if instance.answer_type is AnswerType.ITEMS:
            return ", ".join(label)
        return label[0] if len(label) == 1 else "\n".join(f"- {entry}" for entry in label)
    return "" if label is None else json.dumps(label, ensure_ascii=False)


def no_rating(reply: str, replies: int) -> str:
    """Why a judge has failed if its replies cannot be read, in one line."""
    shown = " ".join(reply.split())
    shown = shown if len(shown) <= _SHOWN_REPLY else shown[: _SHOWN_REPLY - 1] + "…"
    return f"no rating could be read from the judge's replies ({replies}); the last one: {shown!r}"


def _prompt(name: str, document: _Document, entry: _Metric) -> JudgePrompt:
    wording = json.dumps([document["version"], name, entry], sort_keys=True)
    return JudgePrompt(
        metric=name,
        version=document["version"],
        hash=hashlib.sha256(wording.encode()).hexdigest()[:12],
        attempts=document["attempts"],
        system=entry["system"],
        layout=tuple(entry["layout"]),
        text=ReplyForm(entry["text"]["form"], line=re.compile(entry["text"]["reply"])),
        json=ReplyForm(entry["json"]["form"], key=entry["json"]["key"], allowed=tuple(entry["json"]["values"])),
        factor=float(entry.get("factor", 1.0)),
        values=dict(entry.get("values", {})),
        reminder=entry["reminder"],
        max_output_tokens=entry["max_output_tokens"],
        needs_reference=entry.get("needs_reference", False),
    )


def _fenced(name: str, text: str, token: str) -> str:
    return f"[begin {name} #{token}]\n{text}\n[end {name} #{token}]" if text.strip() else ""


def _token(*texts: str) -> str:
    """A name for the markers that none of the texts contains."""
    whole = "\0".join(texts)
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
    while (token := digest[:16]) in whole:
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return token


def _media_text(instance: Instance) -> str:
    counts = Counter(media.modality.value for media in instance.media)
    if not counts:
        return ""
    named = ", ".join(f"{count} {modality}" for modality, count in sorted(counts.items()))
    return f"The instruction came with media that are not shown to you ({named}): hold the answer against the reference."
