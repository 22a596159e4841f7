"""An Adaptive Card for a workflow of Microsoft Teams that posts what a webhook receives.

Sources: learn.microsoft.com, "Create incoming webhooks with Workflows for Microsoft Teams" and "TextRun": in a TextRun Markdown is not
supported, so that texts of others stay texts.
"""

from __future__ import annotations

from evaluator.alarms.alarm import Alarm
from evaluator.alarms.words import example_lines, facts, task_line, title
from genlevel.runtime.documents import Document
from genlevel.runtime.shown import cut

MOST_BYTES = 28 << 10
_LONGEST_TITLE = 300
_LONGEST_VALUE = 200
_LONGEST_LINE = 150
_LONGEST_ANSWER = 300
_MOST_TASKS = 10
_MOST_EXAMPLES = 3


def body(alarm: Alarm) -> Document:
    """A message with one card: a title, facts, the tasks that changed, and some instances."""
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [
            _line({**_run(cut(title(alarm), _LONGEST_TITLE)), "weight": "Bolder", "size": "Medium"}),
            *(_line({**_run(f"{name}: "), "weight": "Bolder"}, _run(cut(value, _LONGEST_VALUE))) for name, value in facts(alarm)),
            *(_line(_run(cut(task_line(task, alarm.signal), _LONGEST_LINE))) for task in alarm.tasks[:_MOST_TASKS]),
            *(_line(_run(cut(text, _LONGEST_ANSWER))) for one in alarm.examples[:_MOST_EXAMPLES] for text in example_lines(one)),
            _line({**_run(f"genlevel, alarm {alarm.id}"), "isSubtle": True, "size": "Small"}),
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


def _line(*runs: Document) -> Document:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str) -> Document:
    return {"type": "TextRun", "text": text}
