"""What is watched apart."""

from __future__ import annotations

import pytest

from evaluator.monitors.core.streams import Place, StreamKind, streams_of

IMAGE = [Place(f"i{n}", f"skill {n % 2}", "image", "comprehension") for n in range(4)]
LANGUAGE = [Place(f"l{n}", "facts", "language", "") for n in range(2)]


def test_the_whole_then_modalities_then_groups():
    layout = streams_of(IMAGE + LANGUAGE, 15)
    assert [(stream.name, stream.kind, len(stream.strata)) for stream in layout.streams] == [
        ("all", StreamKind.WHOLE, 3),
        ("image/comprehension", StreamKind.MODALITY, 2),
        ("language", StreamKind.MODALITY, 1),
        ("skill 0", StreamKind.GROUP, 1),
        ("skill 1", StreamKind.GROUP, 1),
    ]
    assert layout.notes == ()
    assert {layout.strata[layout.stratum_of[place.task]] for place in IMAGE} == {"skill 0", "skill 1"}


def test_groups_with_fewer_than_five_instances_a_tick_are_not_watched_apart():
    layout = streams_of(IMAGE + LANGUAGE, 14)
    assert [stream.name for stream in layout.streams] == ["all", "image/comprehension", "language"]
    assert layout.strata == ("image/comprehension", "language")
    assert layout.notes == ("3 task groups are not watched apart: 14 instances a tick are fewer than 5 for each; a sample of 15 would do",)


def test_one_group_alone_is_the_whole():
    assert [stream.name for stream in streams_of(LANGUAGE, 5).streams] == ["all"]


def test_a_group_that_spans_modalities_is_one_stream_of_several_strata():
    where = (("counting", "image"), ("counting", "video"), ("x", "video"))
    places = [Place(f"t{n}", group, modality, "comprehension") for n, (group, modality) in enumerate(where)]
    streams = {stream.name: stream.strata for stream in streams_of(places, 15).streams}
    assert len(streams["counting"]) == 2
    assert streams["counting"] != streams["video/comprehension"]


def test_a_group_with_the_name_of_another_stream_is_told_apart():
    image = [Place(group, group, "image", "comprehension") for group in ("all", "language")]
    places = [*image, Place("c", "x", "language", "")]
    names = [stream.name for stream in streams_of(places, 15).streams]
    assert names == ["all", "image/comprehension", "language", "all (group)", "language (group)"]


def test_the_order_of_tasks_does_not_matter():
    assert streams_of(IMAGE + LANGUAGE, 20) == streams_of((IMAGE + LANGUAGE)[::-1], 20)


def test_a_monitor_without_tasks_or_with_too_small_a_sample_is_refused():
    with pytest.raises(ValueError, match="tasks: none is chosen"):
        streams_of([], 10)
    with pytest.raises(ValueError, match="sample: 1 instances a tick cannot cover 2 modalities and paradigms; ask for at least 2"):
        streams_of(IMAGE + LANGUAGE, 1)
