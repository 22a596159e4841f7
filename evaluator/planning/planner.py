"""Resolves what a user specified: the model by the gateway, the suite by its name or folder, the sample, and the run's identity."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from evaluator.planning.chosen import check_occasion, check_positions, chosen_by_task, chosen_hash
from evaluator.planning.identity import Specification, run_id, sample_positions
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.planning.prompts import PromptSet, prompt_set
from evaluator.planning.suites import FoundSuite, Suites
from evaluator.ports import GatewayPort, RoutingGatewayPort
from genlevel.benchmark.model import Suite
from genlevel.benchmark.selection import matching_tasks
from genlevel.runtime.errors import CallFailed, ConfigurationError, DatasetError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

MOST_REPEATS = 1000
"""Calls about one instance."""


class Planner:
    """Resolves specifications.

    Args:
        routing: the gateway, if it is in this process and may be told of further servers; None: runs use configured routes alone.
        suites: those that may be named here.
    """

    def __init__(self, gateway: GatewayPort, routing: RoutingGatewayPort | None, suites: Suites) -> None:
        self._gateway = gateway
        self._routing = routing
        self._suites = suites

    async def resolve(
        self, specification: ev.RunSpecification, *, stored: bool = False, reach: bool = False, prompts: PromptSet | None = None
    ) -> Plan:
        """A specification with its model, suite, tasks, sample and identity. Calls no model.

        stored: it is that of a run that was begun, so that its suite may be named by a path. reach: look if the API of an address is
            below /v1; the run's identity has the address as it was written all the same, or it would depend on who answers now.
        prompts: how to ask; None: as is done today.
        Raises:
            GenlevelError: the model, the suite or the selection cannot be used.
        """
        for name in ("model", "suite"):
            if not getattr(specification, name).strip():
                raise UsageError(f"--{name} is empty; give a name (`genlevel {name}s` lists some)")
        if not 0.0 <= specification.parameters.temperature <= 2.0:
            raise UsageError(f"--temperature {specification.parameters.temperature:g} is not between 0 and 2")
        for name in specification.droppable:
            if name not in gw.GenerationParameters.DESCRIPTOR.fields_by_name:
                known = ", ".join(gw.GenerationParameters.DESCRIPTOR.fields_by_name)
                raise UsageError(f"--droppable: {quoted(name)} is no parameter; they are {known}")
        if specification.repeats > MOST_REPEATS:
            raise UsageError(f"--repeats {specification.repeats} is too much; take at most {MOST_REPEATS}")
        check_occasion(specification.occasion)
        notes: list[str] = []
        model = await self._model(specification, notes, reach=reach)
        notes += _notes_on_repeats(specification, model)
        _check_parameters(specification, model)
        if specification.no_structured_output:
            model.structured_output = False
        found = await asyncio.to_thread(self._suites.again if stored else self._suites.named, specification.suite)
        suite = found.suite
        tasks = await asyncio.to_thread(_task_plans, suite, specification, model.video_frames, model.boxes)
        prompts = prompts or prompt_set()
        identity = identity_of(specification, suite, model, tasks, prompts)
        return Plan(_settled(specification, found), suite, model, tasks, identity, tuple(notes), prompts)

    async def _model(self, specification: ev.RunSpecification, notes: list[str], *, reach: bool) -> gw.ModelInfo:
        route = specification.model
        if self._routing is None:
            _need_configured(specification)
        elif specification.base_url:
            api = specification.api
            route = f"{specification.model} at {specification.base_url}" + (f" ({api})" if api else "")
            self._routing.add_route(route, specification.base_url, specification.model, specification.api_key_env, api)
            if reach and (found := await self._routing.api_at(specification.base_url)) != specification.base_url:
                self._routing.add_route(route, found, specification.model, specification.api_key_env, api)
                notes.append(f"no API answers at {specification.base_url}, but one does at {found}: it is asked there")
        return await self.model(route)

    async def model(self, route: str) -> gw.ModelInfo:
        """The model that a route names. Raises ConfigurationError if there is none."""
        try:
            models = (await self._gateway.list_models(gw.ListModelsRequest(route=route))).models
        except CallFailed as failure:
            raise ConfigurationError(failure.message) from None
        if not models:
            raise ConfigurationError(f"no model is known by the route {quoted(route)}; `genlevel models` lists them")
        found: gw.ModelInfo = models[0]
        return found


def identity_of(
    specification: ev.RunSpecification, suite: Suite, model: gw.ModelInfo, tasks: Sequence[TaskPlan], prompts: PromptSet
) -> str:
    """The identity of a run that asks these tasks with these prompts."""
    return run_id(
        Specification(
            model=specification.model,
            provider=model.provider,
            provider_model=model.model,
            base_url=specification.base_url,
            api=specification.api,
            video_frames=model.video_frames,
            route=model.fingerprint,
            suite=suite.name,
            limit=specification.limit,
            seed=specification.seed,
            parameters=tuple(sorted((name.name, str(value)) for name, value in specification.parameters.ListFields())),
            prompt_version=prompts.version,
            structured_output=model.structured_output,
            repeats=specification.repeats if specification.repeats > 1 else 0,
            chosen=chosen_hash([(one.task, one.positions) for one in specification.chosen]),
            occasion=specification.occasion,
            droppable=tuple(sorted(set(specification.droppable))),
        ),
        [(planned.task.key, planned.task.fingerprint) for planned in tasks],
    )


def asked_with(plan: Plan, prompts: PromptSet) -> Plan:
    """The same run, asked with these prompts."""
    return replace(plan, identity=identity_of(plan.specification, plan.suite, plan.model, plan.tasks, prompts), prompts=prompts)


async def offline_plan(suites: Suites, stored: str, identity: str) -> Plan:
    """The plan of a stored specification for whoever asks its model nothing: nothing is said of the model. Raises DatasetError."""
    specification = stored_message(stored, ev.RunSpecification())
    if specification.repeats > MOST_REPEATS:
        raise DatasetError(f"the run asks each instance {specification.repeats} times; at most {MOST_REPEATS} are possible")
    found = await asyncio.to_thread(suites.again, specification.suite)
    tasks = await asyncio.to_thread(_task_plans, found.suite, specification, specification.video_frames, specification.boxes)
    return Plan(_settled(specification, found), found.suite, gw.ModelInfo(), tasks, identity)


def _need_configured(specification: ev.RunSpecification) -> None:
    """Raises UsageError if a run names an address or a secret: a caller must not choose where a service calls, nor with which key."""
    if named := [name for name in ("base_url", "api", "api_key_env") if getattr(specification, name)]:
        raise UsageError(
            f"a service takes no {' or '.join(named)}: it calls only servers of its configuration; "
            "add a route to the gateway's genlevel.yaml, or ask with `genlevel eval --base-url`, which runs by itself"
        )


def _notes_on_repeats(specification: ev.RunSpecification, model: gw.ModelInfo) -> list[str]:
    """What a person has to know of asking each instance several times."""
    if specification.repeats <= 1:
        return []
    notes = []
    if ct.MODALITY_TEXT in model.output_modalities and not specification.parameters.temperature and not model.parameter_note:
        told = "mostly measures nothing, as answers hardly vary; set --temperature"
        notes.append(f"to ask each instance {specification.repeats} times at temperature 0 {told}")
    if not model.takes_seed:
        notes.append(f"{model.route} takes no seed: each repeat just asks again")
    return notes


def _check_parameters(specification: ev.RunSpecification, model: gw.ModelInfo) -> None:
    """Raises UsageError for a parameter that each call would be refused for."""
    taken = {*model.parameters, *specification.droppable}
    for field, _ in specification.parameters.ListFields():
        if model.parameters and field.name not in taken:
            option = "max-tokens" if field.name == "max_output_tokens" else field.name.replace("_", "-")
            raise UsageError(f"--{option}: {model.route} has no such parameter in its API; leave it out, or add --droppable {field.name}")


def _task_plans(suite: Suite, specification: ev.RunSpecification, video_frames: int, boxes: str) -> tuple[TaskPlan, ...]:
    tasks = matching_tasks(suite, specification.tasks)
    listed = [(one.task, tuple(one.positions)) for one in specification.chosen]
    chosen = chosen_by_task(listed, meant={task.key for task in tasks}, limit=specification.limit)
    plans = []
    for task in (task for task in tasks if not chosen or task.key in chosen):
        count = task.count()
        if (positions := chosen.get(task.key)) is not None:
            check_positions(task.key, positions, count)
        else:
            positions = sample_positions(task.key, count, specification.limit, specification.seed)
        asked = count if positions is None else len(positions)
        plans.append(TaskPlan(task, positions, asked, max(1, specification.repeats), video_frames, boxes))
    return tuple(plans)


def _settled(specification: ev.RunSpecification, found: FoundSuite) -> ev.RunSpecification:
    """The specification with its suite as it is stored."""
    settled = ev.RunSpecification()
    settled.CopyFrom(specification)
    settled.suite = found.stored
    return settled
