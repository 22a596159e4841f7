"""``genlevel compare A B --instances`` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.cli.printing import console, say, table
from genlevel.documents.answer_words import label_text, name_of, read_text
from genlevel.documents.differing import COUNTS, QUESTION
from genlevel.documents.words import number, one_line

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def print_differing(document: Document) -> None:
    """The same for people."""
    for side in "ab":
        say(one_line(f"{side.upper()} {document[side]['model']} (run {document[side]['run']})"))
    say(one_line(f"on {document['suite']}"))
    rows = table("task", "metric", ">both right", ">A better", ">B better", ">both wrong")
    compared = [task for task in document["tasks"] if task["note"] is None]
    for task in compared:
        rows.add_row(one_line(task["key"]), task["metric"], *(f"{task[count]:,}" for count in COUNTS))
    if len(compared) > 1:
        rows.add_row("all", "", *(f"{sum(task[count] for task in compared):,}" for count in COUNTS))
    if compared:
        console().print(rows)
    for task in document["tasks"]:
        if task["note"] is not None:
            say(f"not compared: {one_line(task['key'])}: {task['note']}")
        elif task["shown"] < task["only_a"] + task["only_b"]:
            differ = f"the first {task['shown']:,} of {task['only_a'] + task['only_b']:,} that differ (--limit)"
            say(f"{one_line(task['key'])}: {differ}")
    for entry in document["instances"]:
        question = {name: entry[name] for name in QUESTION}
        say(f"\n{name_of(entry)}: A {number(entry['a']['score'])}, B {number(entry['b']['score'])}")
        for side in "ab":
            say(f"  {side.upper()}:     {one_line(read_text({**question, **entry[side]}))}")
        say(f"  label: {one_line(label_text(entry))}")
