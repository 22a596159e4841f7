"""The table of roles covers the contract, and docs/security.md shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genlevel.runtime.callers import Caller, Role
from genlevel.runtime.callers.roles import METRICS_PAGE, OPEN_PAGES, RPCS, needed_role
from genlevel.v1 import evaluator_pb2, gateway_pb2, monitor_pb2, scorer_pb2

METHODS = [
    f"/{service.full_name}/{method.name}"
    for file in (gateway_pb2.DESCRIPTOR, evaluator_pb2.DESCRIPTOR, monitor_pb2.DESCRIPTOR, scorer_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
    for method in service.methods
]


def test_every_method_of_the_contract_has_a_row_and_no_row_is_left_over() -> None:
    assert list(RPCS) == METHODS


def test_the_documentation_shows_the_table_as_it_is(repository: Path) -> None:
    page = (repository / "docs/security.md").read_text("utf-8").partition("## Which role each RPC and page needs")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"^\| (\S+) \| (\w+)", page, re.MULTILINE))
    expected = {method.removeprefix("/genlevel.v1."): role.value for method, role in RPCS.items()}
    expected |= dict.fromkeys(OPEN_PAGES, "none") | {METRICS_PAGE: "read"}
    assert {name: role for name, role in shown.items() if name != "any"} == expected
    assert "| any other page | read |" in page


def test_what_has_no_row_needs_admin() -> None:
    assert needed_role("/genlevel.v1.GatewayService/Forgotten") is Role.ADMIN
    assert needed_role("/genlevel.v2.GatewayService/Generate") is Role.ADMIN


@pytest.mark.parametrize(
    ("has", "may"),
    [
        (Role.READ, {Role.READ}),
        (Role.CALL, {Role.CALL}),
        (Role.RUN, {Role.RUN, Role.READ}),
        (Role.ADMIN, set(Role)),
    ],
)
def test_admin_includes_all_and_run_includes_read(has: Role, may: set[Role]) -> None:
    assert {role for role in Role if Caller("x", frozenset({has})).may(role)} == may
