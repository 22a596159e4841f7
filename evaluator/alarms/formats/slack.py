"""A message to a Slack channel. Sources: docs.slack.dev, "Formatting message text", "Blocks", "Text object"."""

from __future__ import annotations

from evaluator.alarms.alarm import Alarm
from evaluator.alarms.words import example_lines, facts, task_line, title
from genlevel.runtime.documents import Document

LONGEST_TEXT = 3000
LONGEST_FIELD = 2000
_LONGEST_TITLE = 600
_LONGEST_ANSWER = 700
_MOST_TASKS = 10
_MOST_EXAMPLES = 3
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def body(alarm: Alarm) -> Document:
    """A title, facts, the tasks that changed, and some instances."""
    head = escaped(title(alarm), _LONGEST_TITLE)
    tasks = [escaped(task_line(task, alarm.signal), LONGEST_TEXT // _MOST_TASKS - 1) for task in alarm.tasks[:_MOST_TASKS]]
    blocks = [
        _section(f"*{head}*"),
        {"type": "section", "fields": [_text(f"*{name}*\n{escaped(value, LONGEST_FIELD - 100)}") for name, value in facts(alarm)]},
        *([_section("\n".join(tasks))] if tasks else []),
        *(_section("\n".join(escaped(line, _LONGEST_ANSWER) for line in example_lines(one))) for one in alarm.examples[:_MOST_EXAMPLES]),
        {"type": "context", "elements": [_text(f"genlevel, alarm {alarm.id}")]},
    ]
    return {"text": head, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escaped(text: str, longest: int) -> str:
    """A text that mentions and links nothing, of so many characters at most, and not cut within an escape.

    Example:
        >>> escaped("a <!channel>", 100), escaped("a<<", 6)
        ('a &lt;!channel&gt;', 'a&lt;…')
    """
    pieces = [_ESCAPES.get(one, one) for one in text]
    if sum(map(len, pieces)) <= longest:
        return "".join(pieces)
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > longest - 1:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _section(text: str) -> Document:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> Document:
    """Text in which names and addresses are not looked for."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
