"""Adapters: one per provider family; pure converters beside a thin client."""
