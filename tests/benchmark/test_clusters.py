"""Instances about the same medium or text are told to the scorer as one cluster."""

from __future__ import annotations

from pathlib import Path

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.clusters import cluster_of
from genlevel.benchmark.model import Instance, MediaFile, Modality

KEY = "image/comprehension/Some-Task"


def instance(*files: str, context: str = "", root: str = "/data") -> Instance:
    media = tuple(MediaFile(Modality.IMAGE, Path(root) / KEY / file, "image/png") for file in files)
    return Instance("1", 0, "What is this?", AnswerType.SHORT_TEXT, media=media, context=context)


def test_the_same_media_are_one_cluster_wherever_the_suite_lies() -> None:
    one = cluster_of(instance("images/1.png"), KEY)
    assert one == cluster_of(instance("images/1.png", context="asked again", root="/elsewhere/suite"), KEY)
    assert one != cluster_of(instance("images/2.png"), KEY)
    assert one != cluster_of(instance("images/1.png", "images/2.png"), KEY)


def test_without_media_the_context_makes_the_cluster_and_without_either_there_is_none() -> None:
    assert cluster_of(instance(context="A story."), KEY) == cluster_of(instance(context="A story."), KEY) != ""
    assert cluster_of(instance(context="A story."), KEY) != cluster_of(instance(context="Another."), KEY)
    assert cluster_of(instance(), KEY) == ""
