"""What an evaluator does of runs that many share, as genlevel.yaml says it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from genlevel.runtime.words import Word

Need = Literal["any", "vision", "video", "audio"]
"""What a metric needs of the worker that computes it: an extra's networks, or nothing beyond what every worker has (any)."""


class Worker(BaseModel):
    """What this evaluator does of runs that many share through a queue (docs/workers.md).

    asks: it asks models. scores: the tasks that it has scored, by what their metrics need; its scorer must have those extras. device: what
    networks run on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asks: bool = True
    scores: list[Need] = Field(["any"], description="any: metrics that need no network; vision, video, audio: those of that extra")
    device: Word = Field("", description="of networks, such as cpu or cuda:1; empty = a GPU if there is one")
