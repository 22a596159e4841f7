"""Leases: which one of the processes that share a database may do a thing.

``LeaseTable`` is the table, ``LeaseHolder`` keeps one lease for as long as its process lives. A run's lock, a leader, a shard each are a
name in it.
"""

from genlevel.runtime.leases.holder import LeaseHolder
from genlevel.runtime.leases.table import Lease, LeaseTable, Standing, note_written

__all__ = ["Lease", "LeaseHolder", "LeaseTable", "Standing", "note_written"]
