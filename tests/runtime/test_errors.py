"""The tree of errors: its classes of failed calls are the contract's, and it needs no message to be imported."""

from __future__ import annotations

import subprocess
import sys

from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw


def test_the_classes_of_failed_calls_are_the_contracts() -> None:
    assert {f"ERROR_CLASS_{kind.name}": kind.value for kind in ErrorClass} == dict(gw.ErrorClass.items())


def test_a_number_of_the_contract_becomes_its_class() -> None:
    failure = CallFailed(gw.ERROR_CLASS_RATE_LIMIT, "slower")
    assert failure.error_class is ErrorClass.RATE_LIMIT
    assert failure.error_class == gw.ERROR_CLASS_RATE_LIMIT
    assert failure.reason == "RATE_LIMIT"


def test_a_number_of_a_newer_contract_is_of_unknown_class() -> None:
    assert CallFailed(4711, "something new").error_class is ErrorClass.UNKNOWN


def test_errors_need_no_message_of_the_contract() -> None:
    program = (
        "import sys, genlevel.runtime.errors; sys.exit(any(name.startswith(('google', 'grpc', 'genlevel.v1')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
