"""Slices of accounts' limits in a database that processes share (genlevel.runtime.limits.shared says how they are divided).

``SliceTable`` is the table, ``SharedAccounts`` renews a process's slices, ``WholeAccounts`` is its twin without a database.
"""
