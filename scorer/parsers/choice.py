"""Reads a choice among lettered options. Never falls back to a letter: what is not said is not an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from genlevel.benchmark.texts import without_invisible
from scorer.parsers.deciding import Weight, decided, takes_back
from scorer.parsers.echo import without_echo
from scorer.parsers.languages import ANSWER_IS, any_of
from scorer.parsers.letters import CLOSE, LONGEST_CLAUSE, OPEN, Options, put_instead, read_letter
from scorer.parsers.markup import without_markup
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import statements
from scorer.parsers.values import Unparsable

_LONE = re.compile(rf"^{OPEN}(?:(?:[Oo]ption|[Cc]hoice)\s)?{OPEN}([A-Za-z]){CLOSE}[.。]?\s*$")
# Where an answer may stand in a sentence.
_STATED = re.compile(
    rf"""\b(?:answer|option|choice)\s(?:is|would\sbe|should\sbe|must\sbe|could\sonly\sbe)\b\s*+:?\s*+(?:(?:most\s|very\s)?(?:likely|probably)\s)?
    |\b(?:I|we)(?:['’](?:d|ll)|\s(?:would|will|must))?\s(?:choose|chose|pick|select|go\swith|opt\sfor|say|answer)\s(?:(?:it['’]s|it\sis|that|with|option:)\s)?
    |(?:^|[.,;:!?\n]\s*|\b(?:is|it['’]s|but|so|think)\s)(?:most\s|very\s)?(?:likely|probably)\s
    |(?:^|[.,;:!?\n]\s*|\b(?:so|think|believe|that|hence|therefore|thus),?\s)it(?:['’]s|\sis|\smust\sbe)\s(?:(?:most\s|very\s)?(?:likely|probably)\s)?
    |\b(?:option|choice|correct|selection|selected|chosen|pick)\s?:\s*+
    |(?<![^\W_])(?:{any_of("so")})[,:]?\s+(?={OPEN}(?-i:[A-Z]){CLOSE}[.!]?\s*(?:\n|\Z))
    |(?<![A-Za-z])(?=(?:选项|選項)?\s?(?-i:[A-Z])\s?(?:选项|選項|项|項)?\s?[是为為]?(?:正确|正確|最佳|对的|對的))
    |[选選](?:择|擇)?[^\S\n]*+:?[^\S\n]*+
    |(?<![\w'’])(?=(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s)?[(\["*]{{0,4}}(?-i:[A-Z])[)\]"*.]{{0,4}}\s(?:is|seems|looks)\s(?:(?:the|my)\s(?:final\s)?)?
        (?:(?:most|clearly|definitely|likely|probably|only|best|one)\s){{0,3}}(?:correct|right|best|true|appropriate|accurate|answer|choice|likely(?!\s(?:in|un|wrong|false|not|to)))\b)
    |(?<![\w'’-])(?=[(\["*]{{0,4}}(?-i:[A-Z])[)\]"*.]{{0,4}}\s(?:fits|matches|works|describes)\s(?:(?:the|it|this|most|image|picture|question|scene)\s){{0,3}}(?:best|most\saccurately)\b)
    |{ANSWER_IS}""",
    re.IGNORECASE | re.VERBOSE,
)
_IS_RIGHT = re.compile(
    r"^(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s|选项|選項)?\s?[(\[\"*]{0,4}([A-Z])[)\]\"*.]{0,4}"
    r"(?:\s(?:is|seems|looks|fits|matches|works|describes)\s(?!not\b)|\s?(?:选项|選項|项|項)?\s?[是为為]?(?:正确|正確|最佳|对的|對的))"
)
_UNCERTAIN = re.compile(
    r"(?:\b(?:no|not|cannot|never|neither|nor|none|without|doubt|whether|if|or|maybe|perhaps|unless|incorrect|wrong|false|unlikely|initially|at\sfirst)|n['’]t)\b",
    re.IGNORECASE,
)
# Before "the answer is" only what is said of the answer itself: "since A is wrong the answer is B" states B, "the wrong answer is A" not A.
_ANSWER_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot)|n['’]t)\s(?:\w{1,20}\s){0,2}?(?:think(?:ing)?|believ(?:e|ing)|say(?:ing)?|claim(?:ing)?|mean|every|sure|certain|clear|know|agree|see|tell|true|likely|possible"
    r"|the\scase)\b|\b(?:whether|if|unless|or|neither|nor|maybe|perhaps|no\sway)\b|(?<!\bno\s)(?<!\ba\s)\bdoubt|\b(?:wrong|incorrect|false)\sthat\b"
    r"|\b(?:wrong|incorrect|false|invalid|unlikely|other|another|worst|least\s\w{1,20}|no|not|non)\s*$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.,;:!?\n]|\b(?:but|hence|therefore|thus|so(?!\s(?:sure|certain|clear|much|many|far)\b))\b", re.IGNORECASE)
_ANSWER_IS = re.compile(rf"(?:answer|option|choice)\s\w+|{ANSWER_IS}", re.IGNORECASE)
_FINALLY = re.compile(r"\b(?:final|finally|however|but|instead|rather)\b|\\boxed|最终|最終", re.IGNORECASE)
_RIGHT = re.compile(r"(?<!\bnot\s)(?<!in)(?:\b(?:correct|right|true)|[✓✔✅])\W*$", re.IGNORECASE)
_WRONG = re.compile(r"(?:\b(?:wrong|incorrect|false|not\s(?:correct|right|true))|[✗✘❌×])\W*$", re.IGNORECASE)
_WHY = re.compile(r",?\s(?:because|since|as|due\sto)\s|[.;]\s")


def parse_choice(text: str, options: Sequence[str]) -> str | Unparsable:
    """The letter of the option the text settles on.

    Looked for, in this order: the last of "Answer: X", "\\boxed{X}", "the answer is X", "I choose X", "X is correct" and the like; the
    text or exactly one of its lines being a letter ("B", "(B)", "B. wet") or the text of exactly one option; a short text in which one
    option alone is named, without doubt or denial ("It's a dog."). X is a letter or an option's text. Letters beyond the options, several
    different ones, and a letter that is taken back ("(A) is incorrect", "A, or maybe B") are unparsable.

    >>> parse_choice("Answer: A man walks.", ["A dog runs.", "A man walks."])
    'B'
    >>> parse_choice("(A) is incorrect.", ["A dog runs.", "A man walks."])
    Unparsable(reason='it takes A back')
    """
    tags = not any("<" in option for option in options)
    text = without_markup(unicodedata.normalize("NFKC", without_invisible(text)), tags=tags)
    choices = Options.of(options)
    text = without_echo(text, choices.exact, lettered=True)
    stated = _stated(text, choices)
    if stated is not None:
        return stated
    lines = [line for line in text.splitlines() if line.strip()]
    read = [read_letter(line, choices) for line in lines]
    found = sorted({letter for letter in read if isinstance(letter, str)})
    if len(found) > 1:
        return (
            _only_right(lines, read)
            or decided(text, choices.names, Weight.CONCLUDED)
            or Unparsable(f"it names several letters: {', '.join(found)}")
        )
    if found and any(gives_up(line) for line, letter in zip(lines, read, strict=True) if letter is None):
        return Unparsable("it says that there is no answer")
    if found:
        return found[0]
    problem = next((letter for letter in read if isinstance(letter, Unparsable)), None)
    if problem is not None:
        return choices.of_statement(text) or decided(text, choices.names, Weight.CONCLUDED) or problem
    found_text = choices.of_statement(text) or decided(text, choices.names)
    return found_text or Unparsable("no option's letter or text stands out in it")


def _stated(text: str, choices: Options) -> str | Unparsable | None:
    """What the text says its answer is; None if it says nothing of the kind.

    The last of "Answer:", \\boxed{} and "the answer is" counts, unless one before it says something else and nothing takes that back.
    Weaker words ("I choose", "is correct", "likely") must agree with it, with each other, and with a letter that stands alone in its line.
    """
    weak: set[str] = set()
    sure: list[tuple[int, int, str]] = []
    for start, stated, firm in statements(text, _STATED):
        denied = _UNCERTAIN if _ANSWER_IS.match(text, start) is None else _ANSWER_DENIED
        if not firm and denied.search(_clause_before(text, start)) is not None:
            continue
        right = None if firm else _IS_RIGHT.match(stated)
        read = choices.of_letter(right[1]) if right is not None else _read_stated(stated, choices, firm)
        if isinstance(read, Unparsable):
            if sure:
                continue
            return read
        if firm or (right is None and read is not None and _ANSWER_IS.match(text, start) is not None):
            if read is None and not sure and not weak:
                return Unparsable("no option's letter or text follows the answer marker")
            sure += [(start, start + len(stated), read)] if read is not None else []
        elif not sure:
            weak |= {read} if read is not None else set()
    if sure:
        return _settled(text, sure, weak, choices)
    alone = [_LONE.match(line) for line in text.splitlines()] if weak else []
    weak |= {letter for match in alone if match is not None and isinstance(letter := choices.of_letter(match[1].upper()), str)}
    return _agreed(weak)


def _read_stated(stated: str, choices: Options, firm: bool) -> str | Unparsable | None:
    """What stands behind an answer marker or a verb: a letter, an option's text, or a sentence that names an option."""
    read = read_letter(stated, choices) or choices.of_statement(_WHY.split(stated)[0])
    return decided(stated, choices.names) if read is None and firm else read


def _settled(text: str, sure: Sequence[tuple[int, int, str]], weak: set[str], choices: Options) -> str | Unparsable:
    """The last of what is stated for sure, or what takes it back behind it; several that nobody took back are no answer."""
    last_start, last_end, last = sure[0]
    for start, end, read in sure[1:]:
        between = text[end:last_start]
        if (
            read != last
            and not takes_back(between)
            and (_FINALLY.search(between) is None or _FINALLY.search(text[max(0, start - 20) : start]))
        ):
            return Unparsable(f"it gives different answers: {', '.join(sorted({read, last}))}")
    behind = text[last_end:]
    if (instead := put_instead(behind, choices)) is not None:
        return instead
    if takes_back(behind) and isinstance(later := decided(behind, choices.names, Weight.STATED), str):
        return later
    return _agreed(weak | {last}) or last


def _agreed(letters: set[str]) -> str | Unparsable | None:
    names = sorted(letters)
    return Unparsable(f"it states different answers: {', '.join(names)}") if len(names) > 1 else next(iter(names), None)


def _only_right(lines: Sequence[str], read: Sequence[str | Unparsable | None]) -> str | None:
    """Of options that are listed with a verdict each, the only one that is called right."""
    listed = [(line, letter) for line, letter in zip(lines, read, strict=True) if isinstance(letter, str)]
    right = [letter for line, letter in listed if _RIGHT.search(line) is not None]
    wrong = [letter for line, letter in listed if _WRONG.search(line) is not None]
    return right[0] if len(right) == 1 and len(wrong) == len(listed) - 1 and right[0] not in wrong else None


def _clause_before(text: str, end: int) -> str:
    """The part of the sentence that stands before a place."""
    return _CLAUSE.split(text[max(0, end - LONGEST_CLAUSE) : end])[-1]
