"""Years of many monitors at once: false alarms, delays, onsets and intervals of ``evaluator.monitors.core`` where the truth is known.

**Model.** Each pooled instance has a chance of its own to be answered right: Beta with a mean of 0.7, so spread that the stated share of
answers flips each way between two askings ("own"); or all flips are in a few instances that flip by halves ("few"); or scores are in
between, four halves each ("graded"). The baseline is drawn anew for each year, with the error that it has. A change, and the effect of a
day, lower the pool's true mean by exactly so much: part of the right answers turn wrong.

**How.** A tick's instances are drawn with replacement, so that its counts of each change (now less the baseline) are multinomial, given
the baseline: the mean e-value is then exactly what the proof allows, and without replacement it is at most that (Maclaurin). ``check``
holds margins, bets and evidence of this file to the real code, tick by tick; ``without_replacement`` draws as monitors do. Streams, shares,
allocations, the interval and the onset are the real code's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import special, stats

from evaluator.monitors.core import bounds
from evaluator.monitors.core.betting import LARGEST, LARGEST_SHARED, NUMBER, bets
from evaluator.monitors.core.change import Change, explain
from evaluator.monitors.core.detector import State, advance, log_evidence
from evaluator.monitors.core.draws import allocation, draw_tick
from evaluator.monitors.core.intervals import Sums
from evaluator.monitors.core.readings import Pooled, Reading
from evaluator.monitors.core.shares import Asked, Rules, Share, shares_of
from evaluator.monitors.core.signals import BY_NAME, SCORE, SIGNALS, Direction
from evaluator.monitors.core.streams import Layout, Place, streams_of
from evaluator.monitors.core.ticks import StreamTick, TickSummary, observe
from evaluator.monitors.core.watch import BASELINE_MISS, Check, Reference, Watch, make_watch, tolerance_of

Array = Any
ALPHA, LEVEL = 0.05, 0.7
FAILING, REFUSING = 0.01, 0.02
CHUNK = 250
"""Years that are simulated together."""
LARGE = 1e250


@dataclass(frozen=True)
class Setup:
    """flips: share of answers that flip each way. day_sd: of the effect that a tick's answers share, in 0..1.

    steady: a drop from the first tick on that is no more than the tolerance. times: instances of the pool, in samples; 1 is a panel.
    """

    groups: int = 1
    sample: int = 200
    flips: float = 0.05
    repeats: int = 1
    day_sd: float = 0.0
    ticks_a_day: int = 1
    kind: str = "own"
    steady: float = 0.0
    tolerance: float = 0.01
    times: int = 20

    @property
    def ticks(self) -> int:
        return 365 * self.ticks_a_day

    @property
    def each(self) -> int:
        return self.sample // self.groups

    @property
    def rules(self) -> Rules:
        return Rules(ALPHA, self.tolerance, self.ticks)

    @property
    def layout(self) -> Layout:
        """Groups over modalities: 1 has one, 5 have two, 20 have four."""
        parts = {1: 1, 5: 2, 20: 4}.get(self.groups, 1)
        places = [Place(f"t{n}", f"g{n:02}", f"m{n * parts // self.groups}", "comprehension") for n in range(self.groups)]
        return streams_of(places, self.sample)

    def __str__(self) -> str:
        more = f", {100 * self.steady:g} point off throughout" * (self.steady > 0.0) + f", panel, tolerance {100 * self.tolerance:g}" * (
            self.times == 1
        )
        return (
            f"{self.groups:2} group(s) {self.sample:4} a tick, flips {100 * self.flips:2.0f} %, baseline x{self.repeats},"
            f" day effect {100 * self.day_sd:.0f}, {self.ticks_a_day} a day, {self.kind}{more}"
        )


ASKED: list[Asked] = [(signal.name, direction) for signal in SIGNALS for direction in signal.directions]


@dataclass(frozen=True)
class Source:
    """What a tick's changes can be and how often they are, of some years.

    values: (V) or, by year and group, (Y, G, V). usual: (Y, G, V) chances; worst, best: the same if all answers turned wrong, or right.
    truth: (G) the pool's true mean.
    """

    values: Array
    usual: Array
    worst: Array | None = None
    best: Array | None = None
    truth: Array | None = None

    def chances(self, effect: Array) -> Array:
        """effect: (Y, G) by how much the true mean is lower than at the baseline."""
        if self.worst is None:
            return self.usual
        down = (np.maximum(effect, 0.0) / self.truth)[..., None]
        up = (np.maximum(-effect, 0.0) / (1.0 - self.truth))[..., None]
        return np.clip(self.usual + down * (self.worst - self.usual) + up * (self.best - self.usual), 0.0, 1.0)


@dataclass(frozen=True)
class Checks:
    """logs: (Y, S, D, K, V) of each bet by stream and direction, or (Y, S, G, D, K, V); thresholds: (S, D); margins: (Y, S, D)."""

    logs: Array
    thresholds: Array
    margins: Array


@dataclass
class Baseline:
    """What some years' baselines measured of scores, by stream: mean, mean variance (nan if asked once)."""

    mean: Array
    variance: Array


def members(setup: Setup) -> Array:
    """(S, G): which groups a stream has."""
    layout = setup.layout
    return np.array([[group in stream.strata for group in range(setup.groups)] for stream in layout.streams], dtype=float)


def sizes(setup: Setup) -> Array:
    """(S): how many instances the pool has of each stream."""
    return members(setup).sum(axis=1) * setup.each * setup.times


def excess_many(baseline: Baseline, size: Array, repeats: int, error: Array | float, *, above: bool) -> Array:
    """``bounds.excess`` of many baselines of instances of equal weight; ``check`` holds it to that."""
    mean = baseline.mean if above else 1.0 - baseline.mean
    steepest = 1.0 / (size * repeats)
    if repeats == 1:
        return np.maximum(0.0, kl_upper_many(mean, steepest * np.log(1.0 / error)) - mean)
    chernoff = kl_upper_many(mean, steepest * np.log(2.0 / error)) - mean
    half = repeats // 2
    most = half * (repeats - half) / (repeats * (repeats - 1.0))
    log_inverse = np.log(4.0 / error)
    largest = (
        np.minimum(kl_upper_many(np.minimum(1.0, baseline.variance / most), log_inverse / size) * most, bounds.LARGEST_VARIANCE) * steepest
    )
    return np.maximum(0.0, np.minimum(chernoff, np.sqrt(2.0 * largest * log_inverse) + steepest * log_inverse / 3.0))


def kl_upper_many(mean: Array, bound: Array) -> Array:
    mean = np.broadcast_to(mean, np.broadcast_shapes(np.shape(mean), np.shape(bound)))
    low, high = mean.copy(), np.ones(mean.shape)
    for _step in range(60):
        middle = (low + high) / 2.0
        below = special.rel_entr(mean, middle) + special.rel_entr(1.0 - mean, 1.0 - middle) <= bound
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def tables(setup: Setup, values: Array, margins: Array, name: str) -> Array:
    """log(1 + L (v - m)) of each bet, less what shared effects cost. margins: (Y, S, D); values: (V), or (Y, G, V) for tables by group."""
    signal = BY_NAME[name]
    signs = np.array([1.0 if one is Direction.UP else -1.0 for one in signal.directions])
    draws = (members(setup).sum(axis=1) * setup.each)[:, None]
    largest = np.minimum(LARGEST / (1.0 + margins), LARGEST_SHARED / draws / signal.day_sd)
    amounts = largest[..., None] / 2.0 ** np.arange(NUMBER)
    # What shared effects cost is a part of each answer's.
    cost = draws[..., None] * (amounts * signal.day_sd) ** 2 / 2.0
    if values.ndim == 1:
        return np.log1p(amounts[..., None] * ((signs[:, None] * values)[:, None, :] - margins[..., None, None])) - cost[..., None]
    turned = signs[:, None] * values[:, None, :, None, :]
    logs = np.log1p(amounts[:, :, None, :, :, None] * (turned[..., None, :] - margins[:, :, None, :, None, None]))
    return logs - cost[:, :, None, :, :, None]


def thresholds(setup: Setup, name: str) -> Array:
    """(S, D)."""
    return setup.ticks / _shares(setup, name, lambda share: share.check)


def baseline_errors(setup: Setup, name: str) -> Array:
    """(S, D): the error that a check's bound has."""
    return _shares(setup, name, lambda share: share.baseline)


def _shares(setup: Setup, name: str, part: Callable[[Share], Fraction]) -> Array:
    streams = setup.layout.streams
    shares = shares_of({stream.name: ASKED for stream in streams})
    return np.array([[float(ALPHA * part(shares[stream.name, (name, one)])) for one in BY_NAME[name].directions] for stream in streams])


class Pools:
    """The pool of a setup: instances with chances of their own, the same in all years; its baselines are drawn anew."""

    def __init__(self, setup: Setup, mean: float = LEVEL, flips: float | None = None) -> None:
        self.setup = setup
        self.levels = 4 if setup.kind == "graded" else 1
        """A score has so many steps."""
        number = setup.each * setup.times
        rng = np.random.default_rng([7, setup.groups, setup.sample])
        self.chances = spread(rng, (setup.groups, number), mean, setup.flips if flips is None else flips, setup.kind)
        now = np.arange(self.levels + 1)
        self.answers = stats.binom.pmf(now, self.levels, self.chances[..., None])
        self.truth = self.chances.mean(axis=1)
        then = np.arange(setup.repeats * self.levels + 1) / (setup.repeats * self.levels)
        changes = np.round(now / self.levels - then[:, None], 9)
        self.values, self.where = np.unique(changes, return_inverse=True)
        self.where = self.where.reshape(changes.shape)
        self.then = then

    def draw(self, rng: np.random.Generator, years: int) -> tuple[Source, Baseline]:
        setup = self.setup
        shape = (years, *self.chances.shape)
        read = rng.binomial(setup.repeats * self.levels, self.chances, size=shape).astype(np.int8)
        chances = np.zeros((years, setup.groups, len(self.then), self.levels + 1))
        for level in range(len(self.then)):
            chosen = (read == level).astype(np.float32)
            for group in range(setup.groups):
                chances[:, group, level] = chosen[:, group] @ self.answers[group].astype(np.float32)
        chances /= self.chances.shape[1]
        shares = chances.sum(axis=3)
        worst, best = np.zeros_like(chances), np.zeros_like(chances)
        worst[..., 0], best[..., -1] = shares, shares
        streams = members(setup)
        means = shares @ self.then
        variances = shares @ (setup.repeats / max(1, setup.repeats - 1) * self.then * (1.0 - self.then))
        weights = streams / streams.sum(axis=1, keepdims=True)
        source = Source(self.values, self._merged(chances), self._merged(worst), self._merged(best), self.truth)
        return source, Baseline(means @ weights.T, variances @ weights.T)

    def _merged(self, chances: Array) -> Array:
        found = np.zeros((*chances.shape[:2], len(self.values)))
        for (level, now), index in np.ndenumerate(self.where):
            found[..., index] += chances[..., level, now]
        return found / found.sum(axis=2, keepdims=True)


def spread(rng: np.random.Generator, shape: tuple[int, int], mean: float, flips: float, kind: str) -> Array:
    """Chances of instances with this mean, of which the stated share flips each way."""
    if kind == "few":
        halves = rng.random(shape) < flips / 0.25
        return np.where(halves, 0.5, rng.random(shape) < mean).astype(float)
    if kind == "graded":
        return np.clip(rng.beta(2.0, 2.0 * (1.0 - mean) / mean, shape), 0.0, 1.0)
    part = flips / (mean * (1.0 - mean))
    total = part / (1.0 - part)
    return rng.beta(mean * total, (1.0 - mean) * total, shape)


def checks_of(setup: Setup, name: str, source: Source, baseline: Baseline) -> Checks:
    """Of a signal in 0..1 that each answer has: the score, refusals, unparsable answers."""
    signal = BY_NAME[name]
    errors = baseline_errors(setup, name)
    found = [
        excess_many(baseline, sizes(setup), setup.repeats, errors[:, side], above=one is Direction.UP)
        for side, one in enumerate(signal.directions)
    ]
    margins = tolerance_of(signal, setup.rules) + np.stack(found, axis=2)
    return Checks(tables(setup, source.values, margins, name), thresholds(setup, name), margins)


def failures(setup: Setup, rng: np.random.Generator, years: int) -> tuple[Source, Checks]:
    """Calls that fail by chance, as often as at the baseline."""
    calls = setup.each * setup.times * setup.repeats
    rates = rng.binomial(calls, FAILING, size=(years, setup.groups)) / calls
    streams = members(setup)
    whole = rates @ (streams / streams.sum(axis=1, keepdims=True)).T
    log_inverse = np.log(1.0 / baseline_errors(setup, "errors")[:, 0])
    bound = kl_upper_many(whole, log_inverse / (streams.sum(axis=1) * calls)) - whole
    margins = (tolerance_of(BY_NAME["errors"], setup.rules) + bound)[..., None]
    values = np.stack([-rates, 1.0 - rates], axis=2)
    usual = np.broadcast_to(np.array([1.0 - FAILING, FAILING]), values.shape)
    logs = tables(setup, values, margins, "errors") * streams[None, :, :, None, None, None]
    return Source(values, usual), Checks(logs, thresholds(setup, "errors"), margins)


def ranks(setup: Setup, name: str, rng: np.random.Generator, years: int) -> tuple[Source, Checks]:
    """A number without ties that has not changed: now is above k of the repeats with the chance that lies between their quantiles."""
    number = setup.each * setup.times
    usual = np.empty((years, setup.groups, setup.repeats + 1))
    for group in range(setup.groups):
        quantiles = np.sort(rng.random((years, number, setup.repeats), dtype=np.float32), axis=2)
        ends = np.concatenate([np.zeros((years, number, 1)), quantiles, np.ones((years, number, 1))], axis=2)
        usual[:, group] = np.diff(ends, axis=2).mean(axis=1)
    values = 2.0 * np.arange(setup.repeats + 1) / setup.repeats - 1.0
    bound = np.sqrt(2.0 * np.log(1.0 / baseline_errors(setup, name)) / (sizes(setup) * setup.repeats)[:, None])
    margins = np.broadcast_to(tolerance_of(BY_NAME[name], setup.rules) + bound, (years, *bound.shape))
    return Source(values, usual), Checks(tables(setup, values, margins, name), thresholds(setup, name), margins)


@dataclass
class Gathered:
    """alarms: (Y, S, D) the tick of the first alarm, from 1; 0: none. totals: (T, Y, S) sums of a tick's changes; squares alike."""

    alarms: Array
    totals: Array
    squares: Array


Effect = Callable[[int], Array]
"""(Y, G) by how much a tick's true mean is lower than at the baseline."""


def gather(setup: Setup, pair: tuple[Source, Checks], rng: np.random.Generator, ticks: int, effect: Effect | None = None) -> Gathered:
    """Ticks of many years."""
    source, checks = pair
    years, streams = len(source.usual), members(setup)
    count, directions = checks.thresholds.shape
    gathered = np.zeros((years, count, directions, NUMBER))
    alarms = np.zeros((years, count, directions), dtype=int)
    totals, squares = np.empty((ticks, years, count)), np.empty((ticks, years, count))
    by_group = source.values.ndim == 3
    flat = None if by_group else checks.logs.reshape(years, count, directions * NUMBER, -1)
    for tick in range(ticks):
        chances = source.chances(np.zeros((years, setup.groups)) if effect is None else effect(tick))
        counts = rng.multinomial(setup.each, chances)
        if by_group:
            gains = np.einsum("ysgdkv,ygv->ysdk", checks.logs, counts, optimize=True)
        else:
            summed = np.einsum("sg,ygv->ysv", streams, counts.astype(float))
            totals[tick], squares[tick] = summed @ source.values, summed @ source.values**2
            gains = (flat @ summed[..., None]).reshape(gathered.shape)
        gathered = np.minimum((gathered + 1.0) * np.exp(np.minimum(gains, 500.0)), LARGE)
        crossed = (gathered.mean(axis=3) >= checks.thresholds) & (alarms == 0)
        alarms[crossed] = tick + 1
    return Gathered(alarms, totals, squares)


def effects(setup: Setup, rng: np.random.Generator, years: int, drops: Callable[[int], Array | float]) -> Effect:
    """The effect of each day, and what drops: by tick, of each group or of all."""

    def effect(tick: int) -> Array:
        shared = rng.normal(0.0, setup.day_sd, size=(years, 1)) if setup.day_sd else np.zeros((years, 1))
        return shared + drops(tick) * np.ones(setup.groups)

    return effect


def seeded(setup: Setup, *more: int) -> np.random.Generator:
    numbers = (setup.groups, setup.sample, round(1000 * setup.flips), setup.repeats, round(1000 * setup.day_sd), setup.ticks_a_day)
    return np.random.default_rng([*more, *numbers])


@dataclass(frozen=True)
class FalseAlarms:
    """Years with any false alarm, of so many, by what alarmed; cusum, z_test: the same of these two."""

    setup: Setup
    years: int
    regression: int
    improvement: int
    drift: int
    any: int
    cusum: int
    z_daily: int
    z_year: int
    seconds: float


def false_alarms(setup: Setup, years: int, *, drift: bool) -> FalseAlarms:
    began = time.process_time()
    pools, rng = Pools(setup), seeded(setup, 11)
    hits = np.zeros(7, dtype=int)
    for start in range(0, years, CHUNK):
        now = min(CHUNK, years - start)
        source, baseline = pools.draw(rng, now)
        pair = (source, checks_of(setup, "score", source, baseline))
        found = gather(setup, pair, rng, setup.ticks, effects(setup, rng, now, lambda _tick: setup.steady))
        scores = found.alarms.any(axis=1)
        drifted = _drifts(setup, rng, now) if drift else np.zeros(now, dtype=bool)
        others = rivals(setup, pools, found.totals, 0)
        parts = [scores[:, 0], scores[:, 1], drifted, scores.any(axis=1) | drifted, *(one > 0 for one in others)]
        hits += [int(part.sum()) for part in parts]
    return FalseAlarms(setup, years, *hits.tolist(), time.process_time() - began)


def _drifts(setup: Setup, rng: np.random.Generator, years: int) -> Array:
    alarmed = np.zeros(years, dtype=bool)
    shares = Pools(setup, REFUSING, REFUSING / 2.0)
    pairs = []
    for name in ("refusals", "unparsable"):
        source, baseline = shares.draw(rng, years)
        pairs.append((source, checks_of(setup, name, source, baseline)))
    pairs += [failures(setup, rng, years), *(ranks(setup, name, rng, years) for name in ("latency", "length", "cost"))]
    for pair in pairs:
        alarmed |= gather(setup, pair, rng, setup.ticks).alarms.any(axis=(1, 2))
    return alarmed


def rivals(setup: Setup, pools: Pools, totals: Array, since: int) -> tuple[Array, Array, Array]:
    """The tick from since on, from 1, at which each year's CUSUM, daily z-test at 5 %, and z-test at 5 % over all ticks and streams alarm.

    They know the true noise of a tick's mean, and look for falls alone; all streams at once. CUSUM: for a drop of 5 points, its threshold
    by Siegmund's approximation of the run length, so that 5 % alarm within the horizon if the baseline were the truth.
    """
    streams = members(setup)
    draws = streams.sum(axis=1) * setup.each
    spread_of = pools.chances * (1.0 - pools.chances) / pools.levels
    noise = (spread_of * (1.0 + 1.0 / setup.repeats)).mean(axis=1)
    sd = np.sqrt((streams @ noise) / streams.sum(axis=1) / draws)
    scaled = -totals / draws / sd
    alarm_z = scaled > stats.norm.isf(ALPHA)
    alarm_year = scaled > stats.norm.isf(ALPHA / (setup.ticks * len(draws)))
    slack = 0.025 / sd
    height = np.array([_height(one, setup.ticks * len(draws) / -math.log(1.0 - ALPHA)) for one in slack])
    sums, alarm_cusum = np.zeros(scaled.shape[1:]), np.zeros(scaled.shape, dtype=bool)
    for tick, step in enumerate(scaled):
        sums = np.maximum(0.0, sums + step - slack)
        alarm_cusum[tick] = sums > height
    return tuple(_first(one[since:].any(axis=2)) for one in (alarm_cusum, alarm_z, alarm_year))  # type: ignore[return-value]


def _height(slack: float, length: float) -> float:
    """The height at which a CUSUM of standard normals has this mean run length (Siegmund 1985)."""
    low, high = 0.0, 50.0
    for _step in range(60):
        middle = (low + high) / 2.0
        edge = 2.0 * slack * (middle + 1.166)
        run = (math.expm1(min(edge, 600.0)) - edge) / (2.0 * slack**2)
        low, high = (middle, high) if run < length else (low, middle)
    return high


def _first(hits: Array) -> Array:
    """hits: (T, Y); the first tick, from 1; 0: none."""
    return np.where(hits.any(axis=0), hits.argmax(axis=0) + 1, 0)


@dataclass(frozen=True)
class Delays:
    """Median ticks from a drop to its alarm; None: fewer than half alarm within a year. early: runs with one of ours before the drop.

    alarms: those whose interval and onset were looked at; covered: intervals that hold the drop.
    onset: its median error in ticks; near: within 3.
    """

    ours: float | None
    cusum: float | None
    z_daily: float | None
    z_year: float | None
    early: int
    alarms: int
    covered: int
    onset: float | None
    near: int


SINCE = 60


def delays(setup: Setup, drop: float, runs: int, *, groups: int | None = None, explained: int = 0) -> Delays:
    """groups: how many of the first ones drop; None: all. explained: of so many alarms onset and interval are looked at, too."""
    pools, rng = Pools(setup), seeded(setup, 13, round(1000 * drop))
    dropping = np.arange(setup.groups) < (setup.groups if groups is None else groups)
    stream = 0 if groups is None else len(setup.layout.streams) - setup.groups
    found: list[Array] = []
    early, onsets, covered = 0, [], 0
    for start in range(0, runs, CHUNK):
        now = min(CHUNK, runs - start)
        source, baseline = pools.draw(rng, now)
        checks = checks_of(setup, "score", source, baseline)
        effect = effects(setup, rng, now, lambda tick: drop * (tick >= SINCE) * dropping)
        gathered = gather(setup, (source, checks), rng, SINCE + setup.ticks, effect)
        falls = np.where(gathered.alarms[:, :, 0] > 0, gathered.alarms[:, :, 0], 10**9)
        first = falls.min(axis=1)
        early += int((first <= SINCE).sum())
        ours = np.where(first == 10**9, 0, first - SINCE)
        found.append(np.stack([ours, *rivals(setup, pools, gathered.totals, SINCE)]))
        for year in np.flatnonzero((falls[:, stream] > SINCE) & (falls[:, stream] < 10**9))[: explained - len(onsets)]:
            change = _explained(setup, checks.margins, baseline, gathered, (int(year), stream))
            covered += change.low <= drop <= change.high
            onsets.append(abs(change.onset - SINCE))
    medians = [_median(one) for one in np.concatenate(found, axis=1)]
    near = sum(one <= 3 for one in onsets)
    return Delays(*medians, early, len(onsets), covered, float(np.median(onsets)) if onsets else None, near)


def _median(found: Array) -> float | None:
    """found: ticks; 0: none, at most 0: before the drop, which is left out."""
    after = np.where(found == 0, np.inf, found)[found >= 0]
    median = float(np.median(after)) if len(after) else math.inf
    return None if math.isinf(median) else median


def _explained(setup: Setup, margins: Array, baseline: Baseline, gathered: Gathered, where: tuple[int, int]) -> Change:
    """What the real code tells of a year's first alarm of a stream."""
    year, stream = where
    streams = setup.layout.streams
    name, margin = streams[stream].name, float(margins[year, stream, 0])
    draws = round(float(members(setup)[stream].sum()) * setup.each)
    check = Check(name, "score", Direction.DOWN, 0.0, margin, bets(draws, margin, SCORE.day_sd), SCORE.day_sd, 0.0)
    measured = Baseline(baseline.mean[year, stream], baseline.variance[year, stream])
    over, under = (float(excess_many(measured, sizes(setup)[stream], setup.repeats, BASELINE_MISS, above=above)) for above in (False, True))
    references = {name: {"score": Reference(float(measured.mean), over, under, 0)}}
    watch = Watch(setup.rules, streams, (setup.each,) * setup.groups, {}, (), (check,), references)
    at = int(gathered.alarms[year, stream, 0])
    sums = zip(gathered.totals[:at, year, stream].tolist(), gathered.squares[:at, year, stream].tolist(), strict=True)
    ticks = [{name: {"score": StreamTick(Sums(draws, total, square), 0.0, 0.0)}} for total, square in sums]
    return explain(watch, check, [TickSummary(draws, 0, outage=False, streams=one) for one in ticks])


def check() -> float:
    """Holds margins, bets and evidence of this file to the real code on real readings.

    Returns the largest difference of evidence, in logarithms.
    """
    worst = 0.0
    for setup in (Setup(repeats=1), Setup(5, repeats=5, flips=0.2), Setup(20, sample=100, repeats=2)):
        rng = np.random.default_rng(3)
        pools = Pools(setup)
        pool = _readings(setup, pools, rng)
        sizes_of = [setup.each * setup.times] * setup.groups
        drawn = allocation(setup.sample, sizes_of)
        assert drawn == (setup.each,) * setup.groups
        watch = make_watch(setup.rules, setup.layout.streams, pool, drawn, [(0, size) for size in sizes_of])
        baseline = _measured(setup, pool)
        checks = checks_of(setup, "score", Source(pools.values, np.zeros((1, setup.groups, len(pools.values)))), baseline)
        state, gathered = State(), np.zeros((len(setup.layout.streams), 2, NUMBER))
        for tick in range(12):
            chosen = draw_tick(pool, drawn, f"check:{tick}")
            right = rng.random(len(chosen)) < [
                pools.chances[pool[index].stratum].flat[pool[index].position] - 0.02 * tick for index in chosen
            ]
            answers = {(pool[index].task, pool[index].instance): Reading(float(one)) for index, one in zip(chosen, right, strict=True)}
            state, _crossings = advance(watch, state, observe(watch, pool, chosen, answers).gains)
            counts = np.zeros((setup.groups, len(pools.values)))
            for index, one in zip(chosen, right, strict=True):
                change = one - np.mean([reading.score for reading in pool[index].readings])
                counts[pool[index].stratum, np.abs(pools.values - change).argmin()] += 1
            gains = np.einsum("sdkv,sv->sdk", checks.logs[0], members(setup) @ counts)
            gathered = (gathered + 1.0) * np.exp(gains)
            for number, stream in enumerate(setup.layout.streams):
                for side, direction in enumerate(SCORE.directions):
                    real = watch.check(f"score:{direction}:{stream.name}")
                    assert abs(real.margin - checks.margins[0, number, side]) < 1e-9
                    evidence = log_evidence(state, real.key)
                    assert evidence is not None
                    worst = max(worst, abs(evidence - math.log(gathered[number, side].mean())))
    assert worst < 1e-6, worst
    return worst


def _readings(setup: Setup, pools: Pools, rng: np.random.Generator) -> list[Pooled]:
    pool = []
    for group in range(setup.groups):
        for position, chance in enumerate(pools.chances[group]):
            readings = tuple(
                Reading(float(rng.random() < chance), latency_s=1.0, output_tokens=1, cost_nano_usd=1) for _repeat in range(setup.repeats)
            )
            pool.append(Pooled(f"t{group}", f"{group}:{position}", position, group, readings))
    return pool


def _measured(setup: Setup, pool: list[Pooled]) -> Baseline:
    table = np.array([[reading.score for reading in one.readings] for one in pool], dtype=float).reshape(setup.groups, -1, setup.repeats)
    streams = members(setup)
    weights = streams / streams.sum(axis=1, keepdims=True)
    variances = table.var(axis=2, ddof=1).mean(axis=1) if setup.repeats > 1 else np.zeros(setup.groups)
    return Baseline((table.mean(axis=(1, 2)) @ weights.T)[None], (variances @ weights.T)[None])


def without_replacement(setup: Setup, years: int) -> int:
    """Years with a false alarm of the score if instances are drawn as monitors draw them, the same in all years' ticks of one number.

    Of a panel: the same in all ticks.
    """
    pools, alarmed = Pools(setup), 0
    rng = np.random.default_rng([17, setup.groups, setup.sample])
    number = setup.each * setup.times
    streams = members(setup)
    for start in range(0, years, CHUNK):
        now = min(CHUNK, years - start)
        read = rng.binomial(setup.repeats, pools.chances, size=(now, setup.groups, number)) / setup.repeats
        means = read.mean(axis=2)
        variances = (setup.repeats / max(1, setup.repeats - 1) * read * (1.0 - read)).mean(axis=2)
        weights = streams / streams.sum(axis=1, keepdims=True)
        checks = checks_of(setup, "score", Source(pools.values, means), Baseline(means @ weights.T, variances @ weights.T))
        gathered, hits = np.zeros((now, len(streams), 2, NUMBER)), np.zeros(now, dtype=bool)
        flat = checks.logs.reshape(now, len(streams), 2 * NUMBER, -1)
        for _tick in range(setup.ticks):
            counts = np.zeros((now, setup.groups, len(pools.values)))
            for group in range(setup.groups):
                chosen = rng.permutation(number)[: setup.each]
                right = rng.random((now, setup.each)) < pools.chances[group, chosen]
                index = np.searchsorted(pools.values, np.round(right - read[:, group, chosen], 9))
                for value in range(len(pools.values)):
                    counts[:, group, value] = (index == value).sum(axis=1)
            summed = np.einsum("sg,ygv->ysv", streams, counts)
            gathered = np.minimum((gathered + 1.0) * np.exp((flat @ summed[..., None]).reshape(gathered.shape)), LARGE)
            hits |= (gathered.mean(axis=3) >= checks.thresholds).any(axis=(1, 2))
        alarmed += int(hits.sum())
    return alarmed
