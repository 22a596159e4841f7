"""What a start says of when to stop asking (``TrafficSettings.until_decided``): whether it can be kept, and what it comes to."""

from __future__ import annotations

from genlevel.deciding.values import Aim
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

EPSILON = 0.01
ALPHA = 0.05
_LEAST = 1e-9
_BELOW = 0.5

_AIMS = {ev.UntilDecided.AIM_WINS: Aim.WINS, ev.UntilDecided.AIM_VERDICT: Aim.VERDICT}


def is_asked(traffic: ev.TrafficSettings) -> bool:
    """Whether a run is to ask only until something is decided."""
    return traffic.HasField("until_decided")


def aim_of(until: ev.UntilDecided) -> Aim:
    """What is to be decided. Raises UsageError if that is not known."""
    try:
        return _AIMS[until.aim]
    except KeyError:
        known = " or ".join(aim.value for aim in Aim)
        raise UsageError(f"--until-decided: what is to be decided is not known; take {known}") from None


def settled(until: ev.UntilDecided) -> ev.UntilDecided:
    """The same, with what it leaves open."""
    found = ev.UntilDecided()
    found.CopyFrom(until)
    found.epsilon = until.epsilon or EPSILON
    found.alpha = until.alpha or ALPHA
    return found


def other_aim(going: ev.TrafficSettings, asked: ev.TrafficSettings) -> str:
    """What a person has to know who asks for a run that goes on already and was begun to ask for more, or for less; empty: for the same."""
    if is_asked(going) == is_asked(asked) and (not is_asked(going) or settled(going.until_decided) == settled(asked.until_decided)):
        return ""
    asks = f"only until it is decided (--until-decided {aim_of(going.until_decided).value})" if is_asked(going) else "all of its instances"
    return f"the run is in progress already and goes on to ask {asks}; pause it with `genlevel tune`, and start it again as you want it"


def check_until(traffic: ev.TrafficSettings) -> None:
    """Raises UsageError if what is to be decided, or with which error, makes no sense."""
    if not is_asked(traffic):
        return
    until = settled(traffic.until_decided)
    aim_of(until)
    for name, share in (("--epsilon", until.epsilon), ("--alpha", until.alpha)):
        if not _LEAST <= share < _BELOW:
            raise UsageError(f"{name} must be at least {_LEAST:g} and below {_BELOW:g}, such as 0.01, not {share:g}")
    if traffic.batch:
        raise UsageError("--until-decided and --batch cannot be kept together: a batch is asked as a whole; leave one of them out")


def check_kind(specification: ev.RunSpecification) -> None:
    """Raises UsageError for a run of which nothing is certified."""
    if specification.chosen or specification.occasion:
        raise UsageError(
            "--until-decided: nothing is certified of a run whose instances were chosen, or that is a monitor's; leave it out for this run"
        )
