"""The names of the contract's enums as people read them. A service of a newer version may say what this one has no name for."""

from __future__ import annotations

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper


def enum_name(enum: EnumTypeWrapper, number: int) -> str:
    """A value's name in lower case, without what all names of its enum begin with; "unknown 99" of a value that is not known here.

    Example:
        >>> from genlevel.v1 import evaluator_pb2 as ev
        >>> enum_name(ev.RunStatus, ev.RUN_STATUS_FINISHED), enum_name(ev.RunStatus, 99)
        ('finished', 'unknown 99')
    """
    value = enum.DESCRIPTOR.values_by_number.get(number)
    if value is None:
        return f"unknown {number}"
    common = enum.DESCRIPTOR.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return str(value.name).removeprefix(common).lower()
