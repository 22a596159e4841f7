"""Resolves what a user specified: the model by the gateway, the suite by its folder, the sample by its seed, and the run's identity."""

from __future__ import annotations

import asyncio

from evaluator.planning.identity import Specification, run_id, sample_positions
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.planning.prompts import PromptSet
from evaluator.ports import GatewayPort, RoutingGatewayPort
from genlevel.benchmark.selection import matching_tasks
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import CallFailed, ConfigurationError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw


class Planner:
    """Resolves specifications. routing: the gateway, if it is in this process and may be told of further servers."""

    def __init__(self, gateway: GatewayPort, routing: RoutingGatewayPort | None, prompts: PromptSet) -> None:
        self._gateway = gateway
        self._routing = routing
        self._prompts = prompts

    async def resolve(self, specification: ev.RunSpecification) -> Plan:
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

        def task_plans() -> tuple[TaskPlan, ...]:
            plans = []
            for task in chosen:
                count = task.count()
                positions = sample_positions(task.key, count, specification.limit, specification.seed)
                plans.append(TaskPlan(task, positions, count if positions is None else len(positions)))
            return tuple(plans)

        tasks = await asyncio.to_thread(task_plans)
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
        return Plan(specification, suite, model, tasks, identity)

    async def _model(self, specification: ev.RunSpecification) -> gw.ModelInfo:
        route = specification.model
        if specification.base_url:
            if self._routing is None:
                raise UsageError(
                    "--base-url works only with embedded services: a shared gateway calls only addresses of its configuration; "
                    "add a route for it to genlevel.yaml"
                )
            api = specification.api
            route = f"{specification.model} at {specification.base_url}" + (f" ({api})" if api else "")
            self._routing.add_route(route, specification.base_url, specification.model, specification.api_key_env, api)
        return await self.model(route)

    async def model(self, route: str) -> gw.ModelInfo:
        """The model that a route names. Raises ConfigurationError if there is none."""
        try:
            models = (await self._gateway.list_models(gw.ListModelsRequest(route=route))).models
        except CallFailed as failure:
            raise ConfigurationError(failure.message) from None
        if not models:
            raise ConfigurationError(f"no model is known by the route {route!r}; `genlevel models` lists them")
        found: gw.ModelInfo = models[0]
        return found
