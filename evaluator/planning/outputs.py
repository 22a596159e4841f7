"""What an answer consists of: the modality that a task asks for, and the text that a model gave; and which ones a model cannot give."""

from __future__ import annotations

from genlevel.benchmark.answer_kinds import KINDS, Shape
from genlevel.benchmark.model import Instance, Modality, Paradigm, SuiteTask
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MODALITIES: dict[Modality, ct.Modality] = {
    Modality.LANGUAGE: ct.MODALITY_TEXT,
    Modality.IMAGE: ct.MODALITY_IMAGE,
    Modality.VIDEO: ct.MODALITY_VIDEO,
    Modality.AUDIO: ct.MODALITY_AUDIO,
    Modality.THREE_D: ct.MODALITY_THREE_D,
}
OUTPUT_NAMES: dict[int, str] = {
    ct.MODALITY_TEXT: "text",
    ct.MODALITY_IMAGE: "images",
    ct.MODALITY_VIDEO: "video",
    ct.MODALITY_AUDIO: "audio",
    ct.MODALITY_THREE_D: "3D",
}


def asked_output(task: SuiteTask, instance: Instance) -> ct.Modality:
    """What the answer to an instance consists of.

    Text, but for answers that are media: those of generation tasks have their task's modality; those of comprehension tasks are
    maps (depth, flow, mattes), which are pictures.
    """
    if KINDS[instance.answer_type].shape is not Shape.FILES:
        return ct.MODALITY_TEXT
    made = task.paradigm is Paradigm.GENERATION and task.modality is not Modality.LANGUAGE
    return MODALITIES[task.modality] if made else ct.MODALITY_IMAGE


def unsupported(model: gw.ModelInfo, task: SuiteTask, instance: Instance) -> str:
    """Why the model is not asked an instance, as it does not take what goes in or does not make what is to come out; empty if it is."""
    for media in instance.media:
        if MODALITIES[media.modality] not in model.input_modalities:
            return f"{model.route} does not take {media.modality}"
    output = asked_output(task, instance)
    return "" if output in model.output_modalities else f"{model.route} does not make {OUTPUT_NAMES[output]}"


def visible_text(response: gw.GenerateResponse) -> str:
    """The visible text of an answer, without reasoning."""
    return "".join([part.text for part in response.parts])
