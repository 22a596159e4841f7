"""What a list of prices changes of those before."""

from decimal import Decimal

import pytest

from gateway.pricing.price_changes import Change, changes
from gateway.pricing.prices import Price


def price(value: str, **fields: Decimal) -> Price:
    return Price(*(Decimal(value),) * 4, **fields)


def test_new_changed_and_same_are_told_apart() -> None:
    before = {"a/same": price("1"), "a/other": price("1", per_image=Decimal("0.04"))}
    found = changes({"a/same": price("1.0"), "a/other": price("1", per_image=Decimal("0.05")), "a/new": price("2")}, before.get)
    assert found.new == ("a/new",)
    assert found.changed == (Change("a/other", "per_image", Decimal("0.04"), Decimal("0.05")),)
    assert found.same == 1
    assert found.models == ["a/new", "a/other"]
    assert found.doubtful == []


@pytest.mark.parametrize(
    ("before", "after", "doubtful"),
    [("1", "999", False), ("1", "1000", True), ("1000", "1", True), ("999", "1", False), ("1", "0", True), ("0", "1", False)],
)
def test_a_thousand_times_as_much_or_as_little_or_nothing_is_doubted(before: str, after: str, doubtful: bool) -> None:
    assert Change("a/b", "input", Decimal(before), Decimal(after)).is_doubtful is doubtful
    assert not Change("a/b", "long_above", Decimal(before), Decimal(after)).is_doubtful
    assert not Change("a/b", "input", None, Decimal(after)).is_doubtful
