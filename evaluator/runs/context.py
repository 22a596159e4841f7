"""What all runs of one evaluator work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from evaluator.journal.journal import Journal
from evaluator.ports import GatewayPort, ScorerPort
from evaluator.telemetry import EvaluatorTelemetry
from evaluator.traffic.traffic import TrafficRules
from evaluator.traffic.turns import Turns
from evaluator.traffic.unstored import UnstoredAnswers
from genlevel.runtime.blobs import BlobStore


@dataclass(slots=True)
class Context:
    """The services beside this one, what is stored, and the rules that hold for every run.

    inline_limit: bytes up to which media go with a request; larger ones go by reference to the blob store. unstored: answers that have come
    and are not durable yet. turns: in which answers of all runs go on. batch_look_s: seconds between two looks at batches, at most.
    """

    gateway: GatewayPort
    scorer: ScorerPort
    journal: Journal
    blobs: BlobStore
    telemetry: EvaluatorTelemetry
    rules: TrafficRules
    inline_limit: int
    batch_look_s: float = 300.0
    unstored: UnstoredAnswers = field(default_factory=UnstoredAnswers)
    turns: Turns = field(default_factory=Turns)
