"""What the evaluator needs of the other services: ports that an in-process twin or a gRPC client can stand behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc


class GatewayPort(Protocol):
    """Asks models."""

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        """One answer to one request, within ``timeout_s``. Raises CallFailed, and nothing else of our tree."""
        ...

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        """The configured routes, or the one asked for. Raises CallFailed if it cannot be used, GenlevelError if the gateway is away."""
        ...


@runtime_checkable
class BatchPort(Protocol):
    """Hands batches to providers. Each method raises CallFailed, or GenlevelError if the gateway is away."""

    async def submit_batch(self, requests: AsyncIterator[gw.SubmitBatchRequest]) -> gw.SubmitBatchResponse:
        """Hands over a batch once all of its items have come, and not before.

        An error that may be charged says that the provider may have taken it; of another it surely has not.
        """
        ...

    async def get_batch(self, request: gw.GetBatchRequest) -> gw.GetBatchResponse:
        """How a batch stands."""
        ...

    async def find_batches(self, request: gw.FindBatchesRequest) -> gw.FindBatchesResponse:
        """The batches that surely or possibly have a key."""
        ...

    def collect_batch(self, request: gw.CollectBatchRequest) -> AsyncIterator[gw.CollectBatchResponse]:
        """The results of a batch that has ended."""
        ...

    async def cancel_batch(self, request: gw.CancelBatchRequest) -> gw.CancelBatchResponse:
        """Has the provider cancel a batch."""
        ...


class RoutingGatewayPort(GatewayPort, Protocol):
    """A gateway in this process, which can be told of a server that is not in the configuration."""

    def add_route(self, name: str, base_url: str, model: str, api_key_env: str = "", api: str = "") -> gw.ModelInfo:
        """Makes ``name`` mean ``model`` at the OpenAI-compatible ``base_url``; api: which of its endpoints, "" = chat."""
        ...

    async def api_at(self, base_url: str) -> str:
        """The address, with /v1 if only there an API answers."""
        ...


class ScorerPort(Protocol):
    """Scores tasks. takes_paths: it is in this process, so files may be named by their paths; else by reference to the blob store."""

    takes_paths: bool

    async def begin_run(self, request: sc.BeginRunRequest) -> sc.BeginRunResponse:
        """Takes note of the tasks that a run asks."""
        ...

    async def score_task(self, requests: AsyncIterator[sc.ScoreTaskRequest]) -> sc.ScoreTaskResponse:
        """Scores one task from all of its instances."""
        ...

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        """Scores and levels of a run as they stand."""
        ...

    async def forget_run(self, request: sc.ForgetRunRequest) -> sc.ForgetRunResponse:
        """Deletes all that is kept of a run."""
        ...

    async def get_abilities(self, request: sc.GetAbilitiesRequest) -> sc.GetAbilitiesResponse:
        """Which networks' metrics it can compute, and where they run."""
        ...

    async def get_criteria(self, request: sc.GetCriteriaRequest) -> sc.GetCriteriaResponse:
        """What the full run's certificate would ask of each task."""
        ...

    async def measure_answers(self, request: sc.MeasureAnswersRequest) -> sc.MeasureAnswersResponse:
        """What single answers of a task add to its score; nothing is stored."""
        ...

    async def expect_decision(self, request: sc.ExpectDecisionRequest) -> sc.ExpectDecisionResponse:
        """How many answers it may take until something is decided, by simulation."""
        ...

    def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
        """What became of the instances of a run's tasks, as they were last scored."""
        ...


@runtime_checkable
class Neighbour(Protocol):
    """A service elsewhere, which may be away. One in this process is as well as the process."""

    async def problem(self) -> str:
        """Why it cannot be asked now, in one line; "" if it can."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A gateway, or a client of one, that can be told to begin nothing further."""

    def begin_nothing(self) -> None:
        """Calls that were not begun end as NOT_SENT, now and from now on; the others may end."""
        ...
