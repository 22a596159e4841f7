"""One limiter per provider account: what is stated (requests, tokens a minute), what is found (pace, calls in flight), whose turn it is.

Whoever originates traffic (the evaluator) asks for a permit before each call and gives it back after it. The arithmetic (``bucket``,
``pace``, ``chance``, ``concurrency``, ``gate``, ``queue``) is pure and takes the time as an argument; only ``limiter`` knows an event loop.
"""

from genlevel.runtime.limits.bucket import Bucket
from genlevel.runtime.limits.concurrency import AdaptiveConcurrency
from genlevel.runtime.limits.feedback import Feedback, Waiting
from genlevel.runtime.limits.gate import Named
from genlevel.runtime.limits.learnt import Learnt, LimiterState
from genlevel.runtime.limits.limiter import AccountLimiter, Permit
from genlevel.runtime.limits.queue import MOST_WEIGHT, NOBODYS, Share
from genlevel.runtime.limits.remaining import Left
from genlevel.runtime.limits.shared_limiter import AccountLimits, SharedLimiter

__all__ = [
    "MOST_WEIGHT",
    "NOBODYS",
    "AccountLimiter",
    "AccountLimits",
    "AdaptiveConcurrency",
    "Bucket",
    "Feedback",
    "Learnt",
    "Left",
    "LimiterState",
    "Named",
    "Permit",
    "Share",
    "SharedLimiter",
    "Waiting",
]
