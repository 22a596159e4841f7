"""What prose settles on: the option in its conclusion, else the one that its sentences state, else the only one that it names.

An option counts only if it is meant: not one that is denied, asked about, doubted, or only compared with. The vocabulary is English's;
other languages' words for "is", "not" and "therefore" come from scorer.parsers.languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from scorer.parsers.languages import CONCLUDES, DENIED_AFTER, DENIED_BEFORE, IS, UNSPACED_DENIED_AFTER, word_set
from scorer.parsers.naming import MOST_CHARACTERS, Mention, Names, Words, ends_clause, ends_sentence
from scorer.parsers.refusals import REFUSED
from scorer.parsers.values import Unparsable

UNSURE = "it is not sure of an option"
TAKES_BACK = word_set("actually wait hmm hm correction sorry reconsidering reflection mistake oops scratch mind changed revise revising")
_DOUBT = word_set("maybe perhaps possibly might could whether if unless either unsure unclear uncertain")
_COMPARES = word_set("than unlike compared comparison whereas while opposed contrast rather instead differ different")
# Words of a clause that set aside what comes after them; those that only do so if they are near.
_DENIES = DENIED_BEFORE | word_set("wrong incorrect false invalid unlikely worst least hardly barely doubt other another non")
_LOOKED_AT = word_set(
    "unlike except excluding exclude excluded eliminate eliminated reject rejected rule ruled compared comparison differ different contrast"
    " confused mistaken resemble initially thought considered candidate between than instead similarly lack absence absent opposite glance"
)
_HOW = word_set("sure certain clear much many far")
_NO_MATTER = word_set("doubt question only just")
WRONG = word_set(
    "not isnt wasnt doesnt cannot cant wrong incorrect false unlikely impossible invalid excluded eliminated ruled rejected like less out"
)
# Right before a name that a sentence states, but for words like "the", "most likely" or "category" in between.
_STATES = (
    IS
    | TAKES_BACK
    | word_set(
        "its thats was be been being by as called named labeled labelled classified identified categorized categorised belong"
        " choose chose pick"
        " select say suggest indicate answer would likely probably clearly definitely correspond match = →"
    )
)
_STATES_LETTERS = IS | TAKES_BACK | word_set("its thats be labeled labelled choose pick select correspond")
_PASSED_OVER = word_set(
    "a an the to with for under of most very likely probably clearly definitely indeed simply just also category class label option choice"
    " brand type ( image"
)
# What a sentence says of the option that it decides for.
_DECIDES = word_set(
    "correspond match best correct answer fit share closest accurately accurate appropriate suitable solution likely plausible probable"
    " enclose align"
)
_MOST_OF = word_set("most more")
_MOST_SAID = word_set("similar likely appropriate accurate accurately suitable probable plausible")
_CLAUSE_WORDS = word_set("but although though") | CONCLUDES
_OPENS_CONCLUSION = CONCLUDES | word_set("conclusion conclude summary overall ultimately finally based final assessment answer short")
_ALL = word_set("anything nothing everything all none any")
_JOINS = word_set("or and vs versus a an the maybe perhaps possibly even also , ( )")
_CONTRASTS = ("in contrast ,", "by contrast ,", "on the other hand", "conversely", "in comparison ,", "by comparison ,")
_ARTICLES = word_set("a an the")
# Said first in an answer these are its verdict, whatever the explanation behind them weighs: "No, it might look so, but ...".
_VERDICTS = word_set("yes no true false")
# Right before a name these make another sense of it: "to my surprise", "please bear with me", "I fear".
_OTHER_SENSE = word_set("i we you please my your our")
_MANY = 3
_MOST_WORDS = 60
_SHORT = 20
_NEAR = 6
_FAR = 60
_OPENING = 14


class Weight(IntEnum):
    """How much a sentence says that an option is the answer."""

    NAMED = 1
    STATED = 2
    CONCLUDED = 3


class _Claim(NamedTuple):
    """The options that a sentence means, and how much it says so.

    turns: whether it takes back what came before; whole: whether it is nothing but an option.
    """

    options: frozenset[str]
    weight: Weight
    turns: bool
    whole: bool


def decided(text: str, names: Names, at_least: Weight = Weight.NAMED) -> str | Unparsable | None:
    """The option that the text settles on; None if it names none.

    >>> decided("It could be a dog. The snout is short, so it is a cat.", Names(["cat", "dog"]))
    'cat'
    """
    words = Words.of(text[-MOST_CHARACTERS:])
    claims = _claims(words, names)
    if not claims and at_least is Weight.NAMED:
        return _only_number(words, names)
    conclusions = [claim for claim in claims if claim.weight is Weight.CONCLUDED]
    if conclusions:
        after = claims[claims.index(conclusions[-1]) + 1 :]
        turned = [claim for claim in after if claim.turns and claim.weight > Weight.NAMED]
        beside = after[0].options if after and after[0].whole and not turned else frozenset[str]()
        return one((turned or conclusions)[-1].options | beside)
    if at_least is Weight.CONCLUDED:
        return None
    stated = [claim for claim in claims if claim.weight is Weight.STATED]
    since = next((place for place in range(len(stated) - 1, -1, -1) if stated[place].turns), 0)
    if stated:
        return one(option for claim in stated[since:] for option in claim.options)
    named = {option for claim in claims for option in claim.options}
    if at_least is Weight.STATED or len(words.said) > (_MOST_WORDS if names.letters else MOST_CHARACTERS):
        return None
    if named and (REFUSED.search(text) is not None or not _DOUBT.isdisjoint(words.said)):
        return Unparsable(UNSURE)
    return one(named) if named else None


def _only_number(words: Words, names: Names) -> str | None:
    """The option that is the only number of a short text: "There are 2 of them"."""
    numbers = [place for place, word in enumerate(words.said) if word[-1:].isdigit() or word[:1].isdigit()]
    if len(words.said) > _SHORT or len(numbers) != 1 or not _DOUBT.isdisjoint(words.said) or "?" in words.said:
        return None
    return next(
        (mention.option for mention in names.mentions(words) if mention.start == numbers[0] and not is_denied(words.said, mention)), None
    )


def one(options: Iterable[str]) -> str | Unparsable:
    """The only one of some options, if they are the same."""
    found = sorted(set(options))
    return found[0] if len(found) == 1 else Unparsable(f"it names several options: {', '.join(found[:4])}")


def _claims(words: Words, names: Names) -> list[_Claim]:
    """A claim for each sentence that means an option, in order."""
    said = words.said
    ends = [place for place, word in enumerate(said) if ends_sentence(word)]
    mentions = list(names.mentions(words))
    claims: list[_Claim] = []
    start, taken = 0, 0
    for end in (*ends, len(said)):
        inside: list[Mention] = []
        while taken < len(mentions) and mentions[taken].start < end:
            inside.append(mentions[taken])
            taken += 1
        if inside and (said[end : end + 1] not in (["?"], ["؟"]) or said[end + 1 : end + 2] == ["yes"]):
            claim = _claim(said, start, end, inside)
            claims += [claim] if claim is not None else []
        start = end + 1
    return claims


def _claim(said: Sequence[str], start: int, end: int, inside: Sequence[Mention]) -> _Claim | None:
    compared = next((place for place in range(start + 1, end) if said[place] in _COMPARES), end)
    if said[start : start + 1] and said[start] in _COMPARES:
        compared = end
    if " ".join(said[start : start + 5]).startswith(_CONTRASTS):
        return None
    weights: dict[str, Weight] = {}
    is_verdict = _opens_with_verdict(said, start, inside)
    inside = [mention for mention in inside if is_meant(said, mention)]
    for mention in inside:
        if mention.start > compared and weights:
            continue
        clause = clause_before(said, mention.start)
        if not _DOUBT.isdisjoint(clause):
            continue
        weight = Weight.STATED if _states(clause) or _decides(said, mention, end) else Weight.NAMED
        weights[mention.option] = max(weights.get(mention.option, weight), weight)
    if not weights:
        return None
    heaviest = max(weights.values()) if len(weights) < _MANY else Weight.NAMED
    options = frozenset(option for option, weight in weights.items() if weight is heaviest or _are_alternatives(said, inside, option))
    whole = len(inside) == 1 and set(said[start : inside[0].start]) <= _ARTICLES and inside[0].end == end
    if whole or is_verdict:
        heaviest = Weight.STATED
    if heaviest is Weight.NAMED:
        options = frozenset(weights)
    # What an option's own text says opens no conclusion.
    named = {place for mention in inside for place in range(mention.start, mention.end)}
    opening = [said[place] for place in range(start, min(end, start + _OPENING)) if place not in named]
    before = said[start : inside[0].start + 1]
    if not _OPENS_CONCLUSION.isdisjoint(opening if heaviest > Weight.NAMED else before):
        heaviest = Weight.CONCLUDED
    return _Claim(options, heaviest, turns(said[max(0, start - _NEAR) : end]), whole)


def _opens_with_verdict(said: Sequence[str], start: int, inside: Sequence[Mention]) -> bool:
    """Whether the answer opens with a verdict, and its sentence names no other option."""
    first = inside[0]
    return (
        start == first.start == 0
        and first.end == 1
        and len({mention.option for mention in inside}) == 1
        and said[0] in _VERDICTS
        and said[1:2] in ([","], [":"], [";"])
    )


def _are_alternatives(said: Sequence[str], inside: Sequence[Mention], option: str) -> bool:
    """Whether an option is named beside another one, as "a cat or a dog"."""
    return any(
        one.option != other.option and option in {one.option, other.option} and _JOINS.issuperset(said[one.end : other.start])
        for one, other in pairwise(inside)
    )


def clause_before(said: Sequence[str], start: int) -> list[str]:
    """The words of the clause before a place, the nearest first. Brackets end none."""
    before = said[max(0, start - _FAR) : start]
    clause: list[str] = []
    for place in range(len(before) - 1, -1, -1):
        word = before[place]
        if word == "but" and place and before[place - 1] in _ALL:
            return [*clause, "except"]
        if word == ":" and not (place and before[place - 1] == "no"):
            continue
        if (ends_clause(word) and word not in "()") or (word in _CLAUSE_WORDS and not (word == "so" and clause and clause[-1] in _HOW)):
            break
        clause.append(word)
    return clause


def _states(clause: Sequence[str]) -> bool:
    nearest = next((word for word in clause if word not in _PASSED_OVER), None)
    return nearest in _STATES


def _decides(said: Sequence[str], mention: Mention, end: int) -> bool:
    """Whether what a clause says of an option decides for it: "Point B corresponds to", "B is the most likely"."""
    after = said[mention.end : min(end, mention.end + _OPENING)]
    for place, word in enumerate(after):
        if word in _COMPARES or word in _CLAUSE_WORDS:
            return False
        if word in _DECIDES or (word in _MOST_SAID and place and after[place - 1] in _MOST_OF):
            return True
    return False


def _without_assurance(clause: Sequence[str]) -> list[str]:
    """A clause, the nearest word first, less what sounds like a denial and is none: "there is no doubt that"."""
    kept: list[str] = []
    for word in clause:
        if kept and kept[-1] in _NO_MATTER and word in DENIED_BEFORE:
            kept.pop()
        else:
            kept.append(word)
    return kept


def is_said_alone(said: Sequence[str], mention: Mention) -> bool:
    """Whether a clause says no more than a word that could be any: "It is on.", not "It is on fire"; a mere capital only ends sentences."""
    clause = clause_before(said, mention.start)
    after = said[mention.end] if mention.end < len(said) else "."
    if mention.bare:
        return ends_sentence(after) and next((word for word in clause if word not in _PASSED_OVER), None) in _STATES_LETTERS
    return (not clause or _states(clause)) and ((ends_clause(after) and after != "(") or after in IS)


def is_meant(said: Sequence[str], mention: Mention) -> bool:
    """Whether an option is named for itself: not a part of something else, a word that could be any, or set aside."""
    if mention.partial or ((mention.common or mention.bare) and not is_said_alone(said, mention)):
        return False
    if mention.end == mention.start + 1 and mention.start and not mention.bare and said[mention.start - 1] in _OTHER_SENSE:
        return False
    return not is_denied(said, mention)


def takes_back(text: str) -> bool:
    """Whether a text has words by which it takes back what came before it."""
    return turns(Words.of(text[-MOST_CHARACTERS:]).said)


def turns(said: Sequence[str]) -> bool:
    """Whether among some words are such that take back what was said before: "wait", "on reflection", "no, ..."."""
    return not TAKES_BACK.isdisjoint(said) or any(word == "no" and after in {",", ":"} for word, after in pairwise(said))


def is_denied(said: Sequence[str], mention: Mention) -> bool:
    """Whether an option is named only to set it aside."""
    clause = _without_assurance(clause_before(said, mention.start))
    if any(word in _DENIES or (place < _NEAR and word in _LOOKED_AT) for place, word in enumerate(clause)):
        return True
    after = said[mention.end : mention.end + 4]
    cut = next((place for place, word in enumerate(after) if ends_clause(word) and word not in "()"), len(after))
    if any(word in WRONG or word in DENIED_AFTER for word in after[:cut]):
        return True
    return UNSPACED_DENIED_AFTER.search("".join(said[mention.end : mention.end + _FAR // 2])[: _FAR // 2]) is not None
