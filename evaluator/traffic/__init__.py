"""One instance to its outcome: limits, money, the call, and what to do if it fails."""
