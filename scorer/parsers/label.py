"""Reads a label: the option that an answer settles on, in whatever words, or without options the name that it states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scorer.parsers.free_label import parse_name
from scorer.parsers.languages import DENIED_AFTER, DENIED_BEFORE, WHY, word_set
from scorer.parsers.naming import MOST_CHARACTERS, Mention, Names, ends_clause, words
from scorer.parsers.refusals import REFUSED, gives_up
from scorer.parsers.text import statements, without_wrapping
from scorer.parsers.values import Unparsable

NAMES_NONE = "it names none of the options"
_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|mark|code|span|p|br|div|h[1-6]|label|category|class|option|choice|prediction|result|output)\s?/?>",
    re.IGNORECASE,
)
_IN_LATEX = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|emph) ?\{([^{}]*)\}")
_BULLET = re.compile(r"^(?:[-–—>#]+\s+|\*\s+|[•‣→⇒➜▶👉✅✓✔]\ufe0f?\s*|\(?\d{1,2}[.)]\s+)")
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|`|\$")
# What may end a name and begin an explanation.
_END_OF_NAME = re.compile(rf"[,;:.!(\[：，。；！（]|\s[-–—=]+>?\s|\s(?={WHY}\b)", re.IGNORECASE)
_KEY = re.compile(r"^[^:：\n]{1,60}[:：]\s*(?=\S)")
_MOST_NAMES = 12
_TAKES_BACK = word_set("actually wait hmm correction sorry rather instead reconsidering reflection mistake oops scratch")
_DOUBT = word_set("maybe perhaps possibly might could whether if unless either unsure unclear uncertain")
_LOOKED_AT = word_set(
    "than instead unlike except excluding exclude excluded eliminate eliminated reject rejected rule ruled compared"
    " comparison differ different contrast similar confused mistaken resemble initially first thought considered option"
    " candidate between"
)
_WRONG = word_set("not isnt wasnt cannot cant wrong incorrect false unlikely impossible invalid excluded eliminated ruled rejected like")
# What a name stands right behind if it is what a sentence states.
_STATES = word_set(
    "is its thats are was be been being by as called named labeled labelled classified identified categorized categorised belong choose"
    " chose pick select say answer would likely probably clearly definitely = → es est é ist это è là adalah 是 为 為 は"
)
_PASSED_OVER = word_set(
    "a an the to most very likely probably clearly definitely indeed simply just also of category class label option brand"
    " type with for under"
)
_CLAUSE_WORDS = word_set("but so hence therefore thus although though while whereas")
_ALL = word_set("anything nothing everything all none any")
_NEXT_TO = 6
_FAR = 24


def parse_label(text: str, options: Sequence[str]) -> str | Unparsable:
    """The option that the text settles on, as it is written among the options; without options what ``parse_name`` reads.

    Looked for, in this order: the last "Answer: X", "\\\\boxed{X}" or "the answer is X"; the whole text or one of its lines being an
    option, alone, behind a key ("Category: X") or before an explanation; sentences that state one option ("The painting is by X."); the
    only option that is named at all. Denied ones and those in questions do not count. Several that stay possible are unparsable.

    >>> parse_label("**Land Rover**\\nIt has a green oval.", ["Rover", "Land Rover"])
    'Land Rover'
    >>> parse_label("It's not a cat.", ["cat", "dog"])
    Unparsable(reason='it names none of the options')
    """
    options = tuple(option for option in options if option.strip())
    text = _IN_LATEX.sub(r"\1", _TAG.sub(" ", text)).strip()
    if not options:
        return parse_name(text)
    names = Names(options)
    whole = names.of_text(without_wrapping(text))
    if whole:
        return _one(whole) if not text.endswith(("?", "？")) or text in whole else Unparsable("it asks rather than answers")
    for _start, stated, firm in statements(text):
        read = _read(stated, names)
        if read is not None:
            return read
        if firm and stated:
            return Unparsable(_refused(stated) or NAMES_NONE)
    lines = [line for line in text.splitlines() if line.strip()]
    read_lines = [named for line in lines if (named := _of_line(line, names)) is not None]
    if read_lines:
        problem = next((named for named in read_lines if isinstance(named, Unparsable)), None)
        return problem or _one({named for named in read_lines if isinstance(named, str)})
    return _of_sentences(text, names) or Unparsable(_refused(text) or NAMES_NONE)


def _refused(text: str) -> str:
    return "it says that there is no answer" if gives_up(text) else ""


def _one(found: set[str]) -> str | Unparsable:
    """The only one of some options, if they are the same option."""
    shown = sorted(found)
    return shown[0] if len(shown) == 1 else Unparsable(f"it names several options: {', '.join(shown[:4])}")


def _read(stated: str, names: Names) -> str | Unparsable | None:
    """What follows an answer marker as an option; None if it is none."""
    return _of_line(stated, names) or _of_sentences(stated, names)


def _of_line(line: str, names: Names) -> str | Unparsable | None:
    """A line that is an option, alone, behind a key, or before an explanation that does not take it back."""
    line = without_wrapping(_BULLET.sub("", without_wrapping(line), count=1))
    read = _with_explanation(line, names)
    if read is None:
        key = _KEY.match(line)
        read = _with_explanation(line[key.end() :], names) if key is not None else None
    return read


def _with_explanation(line: str, names: Names) -> str | Unparsable | None:
    line = _EMPHASIS.sub("", line).strip()
    ends = [len(line), *(end.start() for _, end in zip(range(_MOST_NAMES), _END_OF_NAME.finditer(line), strict=False))]
    for end in sorted(ends, reverse=True):
        found = names.of_text(without_wrapping(line[:end])) if line[:end].strip() else set()
        if found:
            return _unless_taken_back(_one(found), line[end:], names)
    return None


def _unless_taken_back(read: str | Unparsable, rest: str, names: Names) -> str | Unparsable:
    """The option, unless what follows denies it, names another one beside it or puts another one in its place."""
    if isinstance(read, Unparsable) or not rest.strip():
        return read
    said = words(rest[:MOST_CHARACTERS])
    content = [word for word in said[:4] if not ends_clause(word)]
    if "?" in said[:1] or (content and content[0] in _WRONG):
        return Unparsable(f"it takes {read} back")
    if gives_up(rest.lstrip(" ,.;:-–—(")):
        return Unparsable("it says that there is no answer")
    beside = {read}
    for mention in names.mentions(said):
        option, before = mention.option, said[max(0, mention.start - _FAR) : mention.start]
        if option == read or _is_denied(said, mention) or (mention.common and not _is_said_alone(said, mention)):
            continue
        if not _TAKES_BACK.isdisjoint(before):
            read, beside = option, {option}
        elif _is_beside(said, mention):
            beside.add(option)
    return _one(beside)


def _is_beside(said: list[str], mention: Mention) -> bool:
    """Whether an option is named at once behind another one, or behind "or"."""
    before = [word for word in said[max(0, mention.start - _NEXT_TO) : mention.start] if word not in _PASSED_OVER and not ends_clause(word)]
    if mention.start < _NEXT_TO and before in ([], ["and"]):
        return mention.end == len(said) or ends_clause(said[mention.end]) or said[mention.end] in {"and", "or"}
    return "or" in before


def _of_sentences(text: str, names: Names) -> str | Unparsable | None:
    """The option that the sentences state: the one named behind "is" and the like, else the only one named at all."""
    said = words(text[-MOST_CHARACTERS:])
    mentions = list(names.mentions(said))
    stated: set[str] = set()
    named: set[str] = set()
    doubtful = False
    for place, mention in enumerate(mentions):
        if _is_question(said, mention.end) or _is_denied(said, mention) or (mention.common and not _is_said_alone(said, mention)):
            continue
        option = mention.option
        clause = list(_clause_before(said, mention.start))
        named.add(option)
        if not _DOUBT.isdisjoint(clause):
            doubtful = True
        elif _states(clause):
            if not _TAKES_BACK.isdisjoint(said[max(0, mention.start - _FAR) : mention.start]):
                stated.clear()
            stated |= {
                option,
                *(other.option for other in mentions[place + 1 : place + 2] if _is_alternative(said, mention, other)),
            }
    if stated:
        return _one(stated)
    if named and (doubtful or REFUSED.search(text) is not None):
        return Unparsable("it is not sure of an option")
    return _one(named) if named else None


def _is_alternative(said: list[str], one: Mention, other: Mention) -> bool:
    """Whether two options are named as alternatives or together: "a cat or a dog"."""
    between = said[one.end : other.start]
    return len(between) <= 3 and not {"or", "and"}.isdisjoint(between)


def _clause_before(said: list[str], start: int) -> Iterator[str]:
    """The words of the clause before a place, the nearest first."""
    before = said[max(0, start - _FAR) : start]
    for place in range(len(before) - 1, -1, -1):
        word = before[place]
        if word == "but" and before[max(0, place - 1)] in _ALL:
            yield "except"
            return
        if ends_clause(word) or word in _CLAUSE_WORDS:
            return
        yield word


def _states(clause: list[str]) -> bool:
    nearest = next((word for word in clause if word not in _PASSED_OVER), None)
    return nearest in _STATES


def _is_said_alone(said: list[str], mention: Mention) -> bool:
    """Whether a clause says no more than a word that could be any: "It is on.", not "It is on fire"."""
    clause = list(_clause_before(said, mention.start))
    after = said[mention.end] if mention.end < len(said) else "."
    return (not clause or _states(clause)) and (ends_clause(after) or after in {"is", "was"})


def _is_question(said: list[str], end: int) -> bool:
    return next((word for word in said[end : end + 40] if word in {".", "?", "!", "\n", "。", "？", "！"}), "") in {"?", "？"}


def _is_denied(said: list[str], mention: Mention) -> bool:
    """Whether an option is named only to set it aside."""
    clause = list(_clause_before(said, mention.start))[:_NEXT_TO]
    if any(word in DENIED_BEFORE or word in _LOOKED_AT or (word.endswith("nt") and word[:-1].endswith("n")) for word in clause):
        return True
    after = said[mention.end : mention.end + 4]
    cut = next((place for place, word in enumerate(after) if ends_clause(word)), len(after))
    return any(word in _WRONG or word in DENIED_AFTER for word in after[:cut])
