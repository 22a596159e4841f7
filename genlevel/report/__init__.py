"""Reports: one file that tells of one or several runs and opens without a network."""
