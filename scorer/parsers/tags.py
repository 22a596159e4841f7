"""The part of a raw answer that was meant to be read: no reasoning, no leftovers of chat templates, and of tagged answers the last.

Reasoning is dropped first, then the tokens with which templates begin and end a turn, then the answer's tags are looked for; only what is
left over of tags then is cut off.
"""

from __future__ import annotations

import re

MAX_CHARACTERS = 400_000
"""Longer answers are read up to here: no answer is longer, and hostile ones must not cost minutes."""

_REASONING = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis"
# The last two rows: Kimi's tags, and the channels of the harmony format, of which only the final one is meant for the reader.
_REASONING_TAG = re.compile(
    rf"<(?P<end>/?)(?i:{_REASONING})>|\[(?P<slash>/?)THINK\]"
    r"|◁(?P<cut>/?)think▷"
    r"|<\|channel\|>(?:(?:analysis|commentary)\b[^<]{0,80}|(?P<final>final))<\|message\|>"
)
# "the <answer> tags" and "`<answer>`" speak of a tag. [ANSWER] is one in capitals only: "[answer]" is a place to fill in.
_NAMES = r"(?:answer|final[_ -]?answer|final|conclusion)\s?>"
_ANSWER_TAG = re.compile(
    rf"<(?P<end>/)(?i:{_NAMES})|\[(?P<slash>/)(?:FINAL[_ ])?ANSWER\]|<\|(?P<box>end)_of_box\|>"
    rf"|(?:<(?i:{_NAMES})|(?<![^\n])answer>|\[(?:FINAL[_ ])?ANSWER\]|<\|begin_of_box\|>)"
    r"(?!`|['\"]?\s(?:tags?|element|field|format|block)\b|\sand\s`?<)"
)
# What begins and ends a turn in the templates of chats, if a server hands it on. Tokens around boxes and places are a part of answers.
_TOKEN = r"<\|(?!\w*(?:box|quad|point|ref|det|poly|region|channel))[\w ]{1,40}\|>|<｜[\w▁ ]{1,40}｜>"
_END_TOKEN = re.compile(rf"(?:{_TOKEN}|</s>|<(?:eos|pad|eos_token|end_of_turn|end_of_utterance)>|\[/INST\])\Z", re.IGNORECASE)
_FIRST_TOKEN = re.compile(
    rf"<s>|<bos>|<pad>|\[/?INST\]|(?:<start_of_turn>|{_TOKEN})(?:[ ]?(?:assistant|model)(?=[ ]?(?:[\n<:]|\Z)))?", re.IGNORECASE
)
_LONGEST_TOKEN = 48
_CLOSED = re.compile(rf"(?:</{_NAMES}|\[/(?:FINAL[_ ])?ANSWER\]|<\|end_of_box\|>)\Z", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"\W*(?:wait|actually|correction|sorry|oops|no,|hmm+|scratch that|on (?:second thoughts?|reflection)"
    r"|let me (?:re|correct|fix)|I (?:made|was) (?:a mistake|wrong))",
    re.IGNORECASE,
)
# Says nothing, and patterns that look for white space at their ends would take quadratic time over it.
_MUCH_SPACE = re.compile(r"\s{64,}")
# Zero-width spaces and joiners, which some models write around an answer.
_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_BLANK = _NO_WIDTH + " \t\r\n\f\v\u00a0\u3000"


def visible_text(raw: str, of_code: bool = False) -> str:
    """The answer without reasoning in tags, trimmed. An unclosed tag hides the rest, an unopened one what precedes it.

    Of an answer in <answer> tags and the like it is what stands in the last ones, and what takes that back behind them. of_code: tags in
    code fences are a part of the code.

    >>> visible_text("<think>Rome? No.</think> Paris"), visible_text("<s> It is Rome. <answer>Paris</answer></s>")
    ('Paris', 'Paris')
    """
    text = raw[-MAX_CHARACTERS:]
    if text.isalnum():  # one word: nothing is around it
        return text
    if not of_code:
        text = _MUCH_SPACE.sub(lambda found: "\n\n" if "\n" in found[0] else " ", text)
    visible = _trimmed(_without_reasoning(text))
    if not visible:
        # All of it is reasoning that never ends, or the reader is told nothing after it; an answer in tags at its very end is one still.
        end = _trimmed(text)
        for tag in reversed(list(_REASONING_TAG.finditer(end, max(0, len(end) - _LONGEST_TOKEN)))):
            end = _trimmed(end[: tag.start()]) if tag.end() == len(end) else end
        tagged = _tagged(end) if _CLOSED.search(end, max(0, len(end) - _LONGEST_TOKEN)) is not None else None
        return "" if tagged is None else _trimmed(tagged)
    if of_code and _in_a_fence(visible):
        return visible
    tagged = _tagged(visible)
    return _trimmed(_ANSWER_TAG.sub("", visible) if tagged is None else tagged)


def _without_reasoning(text: str) -> str:
    kept: list[str] = []
    position, hidden = 0, False
    for tag in _REASONING_TAG.finditer(text):
        if any(tag.groups()):
            if not hidden:
                kept.clear()
            position, hidden = tag.end(), False
        elif not hidden:
            kept.append(text[position : tag.start()])
            hidden = True
    if not hidden:
        kept.append(text[position:])
    return "".join(kept)


def _tagged(text: str) -> str | None:
    """What stands in the last answer tags that hold anything, with what takes it back behind them; None if none does."""
    tags = list(_ANSWER_TAG.finditer(text))
    for place in range(len(tags) - 1, -1, -1):
        tag = tags[place]
        if _closes(tag):
            continue
        following = tags[place + 1] if place + 1 < len(tags) else None
        content = text[tag.end() : following.start() if following is not None else len(text)].lstrip(_BLANK + ":：")
        if not content.strip(_BLANK):
            continue
        rest = text[following.end() :] if following is not None and place + 2 >= len(tags) else ""
        return f"{content}\n{rest}" if _TAKEN_BACK.match(rest) is not None else content
    return None


def _closes(tag: re.Match[str]) -> bool:
    return any(tag.groups())


def _in_a_fence(text: str) -> bool:
    """Whether the last opening tag stands in a code fence."""
    openings = [tag.start() for tag in _ANSWER_TAG.finditer(text) if not _closes(tag)]
    return bool(openings) and text.count("```", 0, openings[-1]) % 2 == 1


def _trimmed(text: str) -> str:
    """Without white space, characters of no width and tokens of the template around it."""
    start, end = 0, len(text)
    while end:
        if text[end - 1].isspace() or text[end - 1] in _NO_WIDTH:
            end -= 1
        elif (token := _END_TOKEN.search(text, max(0, end - _LONGEST_TOKEN), end)) is not None:
            end = token.start()
        else:
            break
    while start < end:
        if text[start] in _BLANK:
            start += 1
        elif (token := _FIRST_TOKEN.match(text, start, end)) is not None:
            start = token.end()
        else:
            break
    return text[start:end]
