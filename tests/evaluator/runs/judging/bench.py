"""A gateway in memory with a model and judges, and runs over it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

from genlevel.runtime.errors import CallFailed
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc


class Bench:
    """A gateway in memory with a model "m" and judges "j" and "k"; their scripts take the asked text and the calls about it so far."""

    def __init__(self):
        self.answer = lambda question: f"an answer to {question}"
        self.judge = lambda text, calls: "Rating: 7"
        self.asked, self.judged, self.requests = Counter(), Counter(), []
        self.cost = {"m": None, "j": None, "k": None}
        self.most_at_once, self.open, self.latency_s = Counter(), Counter(), 0.0
        text = [ct.MODALITY_TEXT]
        self.models = {
            name: gw.ModelInfo(
                route=name, provider="openai", model=f"model-{name}", account=f"account-{name}", ready=True, input_modalities=text,
                output_modalities=text,
            )
            for name in ("m", "j", "k")
        }  # fmt: skip

    async def generate(self, request, *, timeout_s):
        route = request.route
        self.open[route] += 1
        self.most_at_once[route] = max(self.most_at_once[route], self.open[route])
        try:
            if route == "m":
                question = request.messages[0].parts[-1].text.splitlines()[0]
                self.asked[question] += 1
                await asyncio.sleep(self.latency_s)
                said = self.answer(question)
            else:
                question = question_of(request)
                self.judged[route, question] += 1
                self.requests.append(request)
                await asyncio.sleep(self.latency_s)
                said = self.judge(request.messages[1].parts[0].text, self.judged[route, question])
        finally:
            self.open[route] -= 1
        if isinstance(said, Exception):
            raise said
        return gw.GenerateResponse(
            parts=[ct.Part(text=said)], finish_reason=gw.FINISH_REASON_STOP, usage=gw.Usage(input_tokens=10, output_tokens=2),
            cost_nano_usd=self.cost[route],
        )  # fmt: skip

    async def list_models(self, request):
        if request.route not in self.models:
            raise CallFailed(gw.ERROR_CLASS_CALLER_FAULT, f"{request.route} is no route")
        return gw.ListModelsResponse(models=[self.models[request.route]])


def question_of(request):
    return re.search(r"Describe sound \d+\.", request.messages[1].parts[0].text)[0]


async def finish(evaluator, **request):
    started = await evaluator.start_run(ev.StartRunRequest(**request))
    last = None
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=started.run.run_id)):
        last = progress
    return last.run


async def start(evaluator, folder, judge="j", **traffic):
    specification = ev.RunSpecification(model="m", suite=str(folder))
    return await finish(evaluator, specification=specification, traffic=ev.TrafficSettings(judge=judge, **traffic))


async def score_of(scorer, run, name="Sounds"):
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    return next(score for score in verdict.tasks if score.task.name == name)
