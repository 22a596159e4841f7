"""The scorer's tables, step by step; genlevel.runtime.storage runs the steps."""
