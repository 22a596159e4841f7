"""Alarms of monitors, and how they reach people: what an alarm says, the formats of destinations, and their delivery."""
