"""Models that can be asked, and what a run would ask of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.client.values.decisions import Expected, expected_of
from genlevel.documents.price_words import price_document, price_told
from genlevel.documents.runs import plan_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genlevel.runtime.documents import Document
    from genlevel.v1 import evaluator_pb2 as ev
    from genlevel.v1 import gateway_pb2 as gw


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's calls cost, in US dollars. As a text: its usual parts in words.

    Attributes:
        input: of a million tokens in, a decimal as text.
        output: of a million tokens out, a decimal as text.
        document: all that is set of it, in the fields of docs/json.md, price.
    """

    input: str
    output: str
    document: Mapping[str, object]

    def __str__(self) -> str:
        return price_told(dict(self.document))


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked.

    Attributes:
        route: what runs name it by.
        provider: who runs it.
        model: the provider's name for it.
        takes: modalities that it takes: text, image, video, audio, 3d, document.
        makes: modalities that it makes.
        price: None: it has none.
        charges: its provider bills calls, so that without a price it is not free.
        context_tokens: the most that go in and out. None: not known.
        ready: it can be called now.
        problem: why not, and what to do; empty if it can.
    """

    route: str
    provider: str
    model: str
    takes: tuple[str, ...]
    makes: tuple[str, ...]
    price: Price | None
    charges: bool
    context_tokens: int | None
    ready: bool
    problem: str


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One task of a plan.

    Attributes:
        task: the workbook's name, or the folder's.
        key: its folder in the suite.
        metric: id of its metric. None: none is known.
        instances: that would be asked.
        answers: asked for: instances, as often as each is asked.
        calls: those that the model is called for, of which tokens and money are: not what it does not take or make.
        input_tokens: estimated.
        max_output_tokens: at most.
        usd: at most about, in US dollars. None: no price.
        usual_usd: about, at what calls of this model have cost so far. None: not known.
        note: why it would not be asked or scored; empty if it would.
    """

    task: str
    key: str
    metric: str | None
    instances: int
    answers: int
    calls: int
    input_tokens: int
    max_output_tokens: int
    usd: float | None
    usual_usd: float | None
    note: str


@dataclass(frozen=True, slots=True)
class PlannedJudging:
    """What a judge would be asked.

    Attributes:
        judge: as provider/model.
        answers: that it would rate at most.
        usd: at most about, in US dollars. None: no price.
    """

    judge: str
    answers: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would ask; nothing was called.

    Attributes:
        run: the id that it would have.
        plan: which try of this model on these tasks it would be. None: none.
        benchmark: of its suite.
        ready: the model can be called now.
        problem: why not; empty if it can.
        instances: that would be asked.
        answers: asked for: instances, as often as each is asked.
        calls: those that the model is called for.
        input_tokens: estimated.
        max_output_tokens: at most.
        usd: at most about, in US dollars. None: the model has no price.
        usual_usd: about, at what calls of this model have cost so far. None: not known.
        called: calls that the run has made already and does not make again; all else is of the whole run.
        judging: None: nobody would judge.
        expected: how many of the answers may be needed until something is decided. None: all are asked.
        tasks: in the suite's order.
        problems: what a person has to know, a line each.
    """

    run: str
    plan: int | None
    benchmark: str
    ready: bool
    problem: str
    instances: int
    answers: int
    calls: int
    input_tokens: int
    max_output_tokens: int
    usd: float | None
    usual_usd: float | None
    called: int
    judging: PlannedJudging | None
    expected: Expected | None
    tasks: tuple[PlannedTask, ...]
    problems: tuple[str, ...]


def model_of(info: gw.ModelInfo) -> Model:
    """A model's message as a value."""
    return Model(
        route=info.route,
        provider=info.provider,
        model=info.model,
        takes=_modalities(info.input_modalities),
        makes=_modalities(info.output_modalities),
        price=_price(price_document(info.price)) if info.HasField("price") else None,
        charges=info.charges,
        context_tokens=info.context_tokens or None,
        ready=info.ready,
        problem=info.problem,
    )


def plan_of(planned: ev.PlanRunResponse) -> Plan:
    """A plan's message as a value."""
    document = plan_document(planned)
    judging = document["judging"]
    return Plan(
        run=document["run"],
        plan=document["plan"],
        benchmark=document["benchmark"],
        ready=document["model"]["ready"],
        problem=document["model"]["problem"],
        instances=document["instances"],
        answers=document["answers"],
        calls=document["calls"],
        input_tokens=document["input_tokens"],
        max_output_tokens=document["max_output_tokens"],
        usd=document["usd"],
        usual_usd=document["usual_usd"],
        called=document["called"],
        judging=None if judging is None else PlannedJudging(judging["judge"], judging["answers"], judging["usd"]),
        expected=expected_of(document["expected"]),
        tasks=tuple(_task(task) for task in document["tasks"]),
        problems=tuple(document["problems"]),
    )


def _task(task: Document) -> PlannedTask:
    return PlannedTask(
        task=task["task"],
        key=task["key"],
        metric=task["metric"],
        instances=task["instances"],
        answers=task["answers"],
        calls=task["calls"],
        input_tokens=task["input_tokens"],
        max_output_tokens=task["max_output_tokens"],
        usd=task["usd"],
        usual_usd=task["usual_usd"],
        note=task["note"],
    )


def _price(document: Document) -> Price:
    return Price(document["input"], document["output"], document)


def _modalities(numbers: Iterable[int]) -> tuple[str, ...]:
    from genlevel.documents.enum_names import enum_name
    from genlevel.v1 import content_pb2 as ct

    return tuple(enum_name(ct.Modality, number).replace("three_d", "3d") for number in numbers)
