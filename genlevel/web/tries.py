"""How often somebody may try to log in. Tokens are too long to be guessed; this keeps whoever tries from keeping the process busy."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MOST = 10
WITHIN_S = 60.0
MOST_ADDRESSES = 1024


class Tries:
    """Failed tries by address, the newest ``MOST_ADDRESSES`` alone. An address of IPv6 counts as its /64, which is one subscriber's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until the next try; 0 = now."""
        times = self._failed.get(_counted(address))
        if times is None or len(times) < MOST:
            return 0.0
        return max(0.0, times[0] + WITHIN_S - self._clock())

    def failed(self, address: str) -> None:
        """Somebody there has shown nothing that is known."""
        counted = _counted(address)
        times = self._failed.setdefault(counted, deque(maxlen=MOST))
        times.append(self._clock())
        self._failed.move_to_end(counted)
        while len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)


def _counted(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address
