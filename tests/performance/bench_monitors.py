"""False alarms, delays, onsets and intervals of monitors, by simulation: the rows of docs/monitoring.md.

    python tests/performance/bench_monitors.py [--years 2000] [--runs 1000] [--full]

Without --full it takes some minutes: rows of one baseline run at one tick a day, and a few of the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from scipy import stats
from simulate_monitors import ALPHA, Setup, check, delays, false_alarms, without_replacement

FLIPS = (0.01, 0.05, 0.2)
DROPS = (0.03, 0.05, 0.1, 0.2)


def of_false_alarms(*, full: bool) -> Iterator[Setup]:
    yield from _no_change(1, 1)
    for kind in ("few", "graded"):
        yield Setup(5, 200, 0.2, 1, 0.01, 1, kind)
    for groups in (1, 5, 20):
        for sample in (200, 1000):
            for flips in FLIPS if full else (0.05,):
                yield Setup(groups, sample, flips, 5, 0.01, steady=0.01)
    for repeats, ticks_a_day in ((1, 4), (5, 1), (5, 4)) if full else ():
        yield from _no_change(repeats, ticks_a_day)
    if not full:
        yield Setup(5, 200, 0.2, 1, 0.01, 4)


def _no_change(repeats: int, ticks_a_day: int) -> Iterator[Setup]:
    for groups in (1, 5, 20):
        for sample in (200, 1000):
            for flips in FLIPS:
                for day_sd in (0.0, 0.01):
                    yield Setup(groups, sample, flips, repeats, day_sd, ticks_a_day)


def with_drift(setup: Setup) -> bool:
    """Whether drift signals are simulated, too: they take four times as long as the score."""
    return setup.sample == 200 and setup.flips == 0.05 and setup.ticks_a_day == 1 and setup.day_sd > 0.0 and not setup.steady


def drawn_one_by_one() -> Iterator[Setup]:
    yield Setup(1, 200, 0.05, 1)
    yield Setup(5, 200, 0.2, 5)
    for groups in (1, 5):
        for flips in FLIPS:
            yield Setup(groups, 200, flips, 5, tolerance=0.02, times=1)


def of_delays(*, full: bool) -> Iterator[tuple[Setup, int | None]]:
    """(setup, how many groups drop)."""
    for sample in (200, 1000):
        for flips in FLIPS:
            for repeats in (5, 1):
                for day_sd in (0.0, 0.01):
                    if full or (repeats == 5 and bool(day_sd) == (sample == 1000)):
                        yield Setup(1, sample, flips, repeats, day_sd), None
    if not full:
        yield Setup(1, 200, 0.05, 1), None
    for sample in (200, 1000):
        for flips in FLIPS if full else (0.05,):
            yield Setup(20, sample, flips, 5), 1
    for groups in (5, 20) if full else ():
        for sample in (200, 1000):
            for repeats in (5, 1):
                yield Setup(groups, sample, 0.05, repeats, 0.01), None


def rate(hits: int, runs: int) -> str:
    ends = stats.binomtest(hits, runs).proportion_ci(0.95, method="exact")
    return f"{100 * hits / runs:.2f} % ({100 * ends.low:.2f} to {100 * ends.high:.2f})"


def print_false_alarms(years: int, *, full: bool) -> None:
    print(f"\nYears with a false alarm, of {years} a row, tolerance 1 point, alpha {ALPHA}: any (95 % interval); by regression,"
          " improvement, drift | CUSUM for 5 points; daily z-test at 5 %; z-test at 5 % over a year's ticks and streams")  # fmt: skip
    for setup in of_false_alarms(full=full):
        row = false_alarms(setup, years, drift=with_drift(setup))
        others = "; ".join(f"{100 * hits / years:.1f} %" for hits in (row.cusum, row.z_daily, row.z_year))
        drift = row.drift if with_drift(setup) else "-"
        print(
            f"  {setup}: {rate(row.any, years)}; {row.regression}, {row.improvement}, {drift} | {others}  [{row.seconds:.0f} s]", flush=True
        )


def print_drawn_one_by_one(years: int) -> None:
    print(
        f"\nThe same of the score's checks, each instance drawn and asked on its own ({years} years a row): without replacement, and panels"
    )
    for setup in drawn_one_by_one():
        print(f"  {setup}: {rate(without_replacement(setup, years), years)}", flush=True)


def print_delays(runs: int, *, full: bool) -> None:
    print(f"\nMedian ticks from a drop to its alarm, {runs} runs a row: ours | CUSUM; daily z-test; z of the year"
          " (-: not within a year); of up to 500 alarms: intervals that hold, median error of the onset, within 3 ticks")  # fmt: skip
    for setup, groups in of_delays(full=full):
        for drop in DROPS:
            row = delays(setup, drop, runs, groups=groups, explained=500)
            ours, *others = (f"{one:g}" if one is not None else "-" for one in (row.ours, row.cusum, row.z_daily, row.z_year))
            told = (
                f"{row.alarms} alarms: {rate(row.covered, row.alarms)}, {row.onset:g}, {rate(row.near, row.alarms)}"
                if row.alarms
                else "no alarm"
            )
            which = "" if groups is None else ", one group drops"
            print(f"  {setup}{which}, {100 * drop:g} points: {ours} | {'; '.join(others)}; early {row.early}; {told}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--full", action="store_true", help="all rows: an hour")
    arguments = parser.parse_args()
    print(f"evidence as the real code's to {check():.1e}")
    print_false_alarms(arguments.years, full=arguments.full)
    print_drawn_one_by_one(arguments.years)
    print_delays(arguments.runs, full=arguments.full)
    return 0


if __name__ == "__main__":
    sys.exit(main())
