"""Shards cover what a run asks, each instance once, and there are enough of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evaluator.sharing.cutting import Sized, cut

TASKS = st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 300)), max_size=6)


@given(TASKS)
def test_every_instance_is_in_one_shard_in_order(tasks):
    sized = [Sized(f"t{number}", instances, repeats) for number, (instances, repeats) in enumerate(tasks)]
    shards = cut(sized)
    for task in sized:
        own = [shard for shard in shards if shard.task == task.task]
        asked = [place for shard in own for place in range(shard.first, shard.first + shard.count)]
        assert asked == list(range(task.instances))
        assert all(shard.count >= 1 for shard in own)
        assert all(shard.count == 1 or shard.count * task.repeats <= 64 for shard in own)
    assert [shard.task for shard in shards] == sorted((shard.task for shard in shards), key=lambda name: int(name[1:]))


@given(st.integers(1, 50_000))
def test_there_is_work_for_many_and_the_last_shards_are_small(instances):
    shards = cut([Sized("t", instances, 1)])
    assert len(shards) >= min(instances, 16)
    assert shards[-1].count <= 16
    assert len(shards) <= max(128, instances / 25)


def test_a_run_of_a_benchmark_takes_a_few_thousand_rows():
    shards = cut([Sized(f"t{number}", 460, 1) for number in range(700)])
    assert len(shards) < 7_000
