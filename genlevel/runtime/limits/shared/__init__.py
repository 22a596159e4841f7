"""One account's limits over several processes: each has a slice of them that ends by itself, and the sum of slices never passes a limit.

``renewal`` divides, on the rows of a database; ``held`` and ``bucket`` are what a process does with its slice. All is pure; the table and
what renews slices are in genlevel.runtime.slices.
"""

from genlevel.runtime.limits.shared.held import HeldSlice
from genlevel.runtime.limits.shared.renewal import SLICE_S, Renewal, renew
from genlevel.runtime.limits.shared.rows import Account, Ask, Grant, Part, Rate, Slice, Wish

__all__ = ["SLICE_S", "Account", "Ask", "Grant", "HeldSlice", "Part", "Rate", "Renewal", "Slice", "Wish", "renew"]
