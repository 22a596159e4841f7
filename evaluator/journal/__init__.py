"""Where runs, raw answers and ratings are kept: SQL and its migrations."""
