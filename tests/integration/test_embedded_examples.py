"""The embedded model's worked examples are asked in the evaluator's own words."""

from __future__ import annotations

from evaluator.planning.prompts import prompt_set
from gateway.embedded.examples import EXAMPLES


def test_worked_examples_end_as_the_evaluators_questions_do() -> None:
    endings = {template.layout[-1].split("{")[0].strip(" (") for template in prompt_set().templates.values()}
    for question, _answer in EXAMPLES:
        asked = question.rsplit("\n\n", 1)[1].split(" (")[0]
        assert any(ending and asked.rstrip(".") == ending.rstrip(".") for ending in endings), asked
