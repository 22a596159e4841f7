"""Monitors and where their alarms go, as genlevel.yaml says it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from genlevel.runtime.destinations import DestinationKind


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Destination(_Strict):
    """Where alarms of monitors go (docs/alarms.md). Addresses that are secrets, and secrets, are in the environment or in files."""

    kind: DestinationKind
    url: str = Field("", description="http or https; by default that of pagerduty's or github's API")
    url_env: str = Field("", description="environment variable that holds the address")
    url_file: Path | None = Field(None, description="file that holds the address")
    secret_env: str = Field("", description="environment variable that holds a webhook's secret, a routing key or a token")
    secret_file: Path | None = Field(None, description="file that holds it")
    repository: str = Field("", description="github: owner/name")


class Monitor(_Strict):
    """A deployed model that is watched (docs/monitoring.md): what is in the file is what the evaluator runs."""

    model: str = Field(description="a route")
    suite: str
    tasks: str = Field("", description="glob over task keys and names; empty = all")
    every: str = Field(description="30m, 6h, 1d, or five cron fields")
    time_zone: str = Field("", description="of the cron fields and of the budget's day, such as Europe/Berlin; empty = UTC")
    sample: int = Field(200, ge=5, le=100_000, description="instances that each tick asks")
    pool: int | None = Field(None, ge=1, le=1000, description="times the sample, from which ticks draw; null = 20")
    budget_usd_per_day: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    baseline: str = Field("", description="a finished run to compare with; empty = one of its own")
    baseline_repeats: int | None = Field(None, ge=1, le=1000, description="how often its own asks each instance; null = 5")
    panel: bool = Field(False, description="each tick asks the same instances")
    tolerance: float | None = Field(None, ge=0, le=50, description="points that are no reason for an alarm; null = 1, of a panel 2")
    horizon: str = Field("365d", description="within which false alarms are bounded")
    alpha: float = Field(0.05, ge=1e-6, le=0.5, description="the most that the chance of any false alarm within the horizon can be")
    destinations: list[str] = Field([], description="names in the section destinations; empty = all of them")
    unpriced_ok: bool = Field(False, description="go on if the model's price is not known")
    paused: bool = False
