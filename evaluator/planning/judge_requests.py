"""Turns an answer into what a judge is asked about it, under the bounds of what that takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from evaluator.planning.judge_prompts import JudgePrompt, judge_prompts, question_blocks
from evaluator.planning.plans import TaskPlan
from evaluator.planning.prices import CallBounds, estimated_tokens, most_tokens
from evaluator.planning.requests import PreparedCall
from genlevel.benchmark.model import Instance
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


def judge_name(model: gw.ModelInfo) -> str:
    """What judgements are kept under: provider/model; of a server of one's own, its account's name and the model's."""
    return f"{model.account if model.provider == 'compatible' else model.provider}/{model.model}"


def judged_tasks(tasks: Sequence[TaskPlan]) -> tuple[TaskPlan, ...]:
    """Tasks whose metric a judge can rate."""
    return tuple(planned for planned in tasks if planned.metric in judge_prompts())


def prepare_judgement(prompt: JudgePrompt, instance: Instance, answer: str, model: gw.ModelInfo, last_reply: str = "") -> PreparedCall:
    """The call about one answer, at temperature 0.

    last_reply: one that could not be read; the judge is shown it, and reminded of the form.
    """
    form = prompt.form(structured=model.structured_output)
    question = question_blocks(prompt, instance, answer, form)
    limit = prompt.max_output_tokens + model.extra_output_tokens
    request = gw.GenerateRequest(route=model.route, parameters=gw.GenerationParameters(temperature=0.0, max_output_tokens=limit))
    request.parameters.response_schema_json = form.schema
    turns = [(ct.ROLE_SYSTEM, prompt.system), (ct.ROLE_USER, question)]
    if last_reply:
        turns += [(ct.ROLE_ASSISTANT, last_reply), (ct.ROLE_USER, prompt.reminder.replace("{form}", form.said))]
    for role, text in turns:
        request.messages.add(role=role).parts.add(text=text)
    whole = "\n".join(text for _role, text in turns)
    digest = hashlib.sha256(b"".join(message.SerializeToString(deterministic=True) for message in request.messages)).hexdigest()
    return PreparedCall(request, digest, CallBounds(estimated_tokens(whole), most_tokens(whole), limit))
