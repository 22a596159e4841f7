"""General-Level's rules on plain values: levels and verdicts, their breakdown by skill, synergy, what was published."""
