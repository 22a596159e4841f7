"""Where scores are kept: SQL and its migrations."""
