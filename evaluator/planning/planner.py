"""Resolves what a user specified: the model by the gateway, the suite by its folder, the sample by its seed, and the run's identity."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from evaluator.planning.identity import Specification, is_partial, run_id, sample_positions
from evaluator.planning.outputs import OUTPUT_NAMES, asked_output
from evaluator.planning.prompts import PromptSet, prompt_text
from evaluator.planning.requests import MediaBounds, generation_parameters, media_bounds, token_bounds
from evaluator.ports import GatewayPort, RoutingGatewayPort
from evaluator.runs.scoring import PlannedTask
from evaluator.traffic.budget import worst_case_nano_usd
from genlevel.benchmark.model import Suite
from genlevel.benchmark.selection import matching_tasks, problems_of
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import CallFailed, ConfigurationError, UsageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A specification, resolved against its suite and its model."""

    specification: ev.RunSpecification
    suite: Suite
    model: gw.ModelInfo
    tasks: tuple[PlannedTask, ...]
    identity: str

    @property
    def total(self) -> int:
        return sum(planned.count for planned in self.tasks)

    @property
    def problems(self) -> list[str]:
        """What of the tasks that are asked could not be resolved or read, a line each."""
        return problems_of(self.suite, [planned.task for planned in self.tasks])

    @property
    def partial(self) -> bool:
        return is_partial(self.suite, [planned.task for planned in self.tasks], self.specification.limit)


class Planner:
    """Resolves specifications. routing: the gateway, where it is in this process and may be told of further servers."""

    def __init__(self, gateway: GatewayPort, routing: RoutingGatewayPort | None, prompts: PromptSet) -> None:
        self._gateway = gateway
        self._routing = routing
        self._prompts = prompts

    async def resolve(self, specification: ev.RunSpecification) -> ResolvedPlan:
        """A specification with its model, suite, tasks, sample and identity. Calls no model.

        Raises:
            GenlevelError: the model, the suite or the selection cannot be used.
        """
        for name in ("model", "suite"):
            if not getattr(specification, name).strip():
                raise UsageError(f"--{name} is empty; give a name (`genlevel {name}s` lists some)")
        if not 0.0 <= specification.parameters.temperature <= 2.0:
            raise UsageError(f"--temperature {specification.parameters.temperature:g} is not between 0 and 2")
        model = await self._model(specification)
        if specification.no_structured_output:
            model.structured_output = False
        suite = await asyncio.to_thread(load_suite, specification.suite)
        chosen = matching_tasks(suite, specification.tasks)

        def planned_tasks() -> tuple[PlannedTask, ...]:
            planned = []
            for task in chosen:
                count = task.count()
                positions = sample_positions(task.key, count, specification.limit, specification.seed)
                planned.append(PlannedTask(task, positions, count if positions is None else len(positions)))
            return tuple(planned)

        tasks = await asyncio.to_thread(planned_tasks)
        identity = run_id(
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
                prompt_version=self._prompts.version,
                structured_output=model.structured_output,
            ),
            [(task.key, task.fingerprint) for task in chosen],
        )
        return ResolvedPlan(specification, suite, model, tasks, identity)

    async def _model(self, specification: ev.RunSpecification) -> gw.ModelInfo:
        route = specification.model
        if specification.base_url:
            if self._routing is None:
                raise UsageError(
                    "--base-url works only with the services embedded: a shared gateway calls no address outside its configuration; "
                    "add a route for it to genlevel.yaml"
                )
            api = specification.api
            route = f"{specification.model} at {specification.base_url}" + (f" ({api})" if api else "")
            self._routing.add_route(route, specification.base_url, specification.model, specification.api_key_env, api)
        return await self.model(route)

    async def model(self, route: str) -> gw.ModelInfo:
        """The model that a route names. Raises ConfigurationError where there is none."""
        try:
            models = (await self._gateway.list_models(gw.ListModelsRequest(route=route))).models
        except CallFailed as failure:
            raise ConfigurationError(failure.message) from None
        if not models:
            raise ConfigurationError(f"no model is known by the route {route!r}; `genlevel models` lists them")
        found: gw.ModelInfo = models[0]
        return found

    def traffic_notes(self, plan: ResolvedPlan, traffic: ev.TrafficSettings) -> list[str]:
        """What a person has to know of how slowly a run will go, one line each. Reads the first instance of a few tasks."""
        limit = traffic.tokens_per_minute or plan.model.limits.tokens_per_minute
        if not limit:
            return []
        most = (0, 0)
        for planned in plan.tasks[:_LOOKED_AT]:
            instance = next(iter(planned.task.instances(planned.positions)), None)
            template = self._prompts.for_instance(instance) if instance is not None and not instance.problem else None
            if instance is None or template is None or (output := asked_output(planned.task, instance)) not in plan.model.output_modalities:
                continue
            tokens, _ = token_bounds(instance, prompt_text(instance, template), plan.model)
            bounds = media_bounds(plan.model, output, plan.specification.parameters) if output != ct.MODALITY_TEXT else MediaBounds()
            answer = bounds.tokens or generation_parameters(template, plan.specification.parameters, plan.model, output).max_output_tokens
            most = max(most, (tokens, answer), key=sum)
        if sum(most) <= limit:
            return []
        name = "--tpm" if traffic.tokens_per_minute else f"the limit of account {plan.model.account}"
        counted = f"one request counts as about {sum(most):,} until it is answered ({most[0]:,} in, at most {most[1]:,} out)"
        minutes = sum(most) / limit
        advice = f"only one goes out in about {minutes:,.0f} minutes; raise it, or lower --max-tokens"
        return [f"{name} allows {limit:,} tokens a minute, and {counted}: {advice}"]

    def estimate(self, plan: ResolvedPlan, planned: PlannedTask) -> ev.PlannedTask:
        """What asking one task takes: instances, tokens, money at most. Reads all of its instances."""
        task, info = planned.task, plan.model
        entry = ev.PlannedTask(
            key=task.key,
            name=task.name,
            sheet=task.task.sheet if task.task else "",
            metric=task.metric.id if task.metric else "",
            instances=planned.count,
        )
        cost = 0
        for instance in task.instances(planned.positions):
            if instance.problem:
                entry.note = instance.problem
                continue
            template = self._prompts.for_instance(instance)
            if template is None:
                entry.note = f"answers of type {instance.answer_type} cannot be asked"
                continue
            output = asked_output(task, instance)
            if output not in info.output_modalities:
                entry.note = f"{info.route} does not make {OUTPUT_NAMES[output]}: unsupported"
                continue
            estimate, _ = token_bounds(instance, prompt_text(instance, template), info)
            bounds = media_bounds(info, output, plan.specification.parameters) if output != ct.MODALITY_TEXT else MediaBounds()
            most = bounds.tokens or generation_parameters(template, plan.specification.parameters, info, output).max_output_tokens
            entry.estimated_input_tokens += estimate
            entry.max_output_tokens += most
            if info.HasField("price"):
                cost += worst_case_nano_usd(info.price, estimate, most, images=bounds.images, seconds=bounds.seconds)
                entry.note = bounds.unknown or entry.note
        if info.HasField("price"):
            entry.estimated_nano_usd = cost
        if not entry.note and task.metric is None:
            entry.note = "no metric is known: asked, not scored"
        return entry
