"""Phrases by which an answer says that it gives none."""

from __future__ import annotations

import re

_GIVE = (
    r"determine|tell|say|know|decide|answer|identify|choose|pick|select|provide|give|help|assist|estimate|infer|verify|view|access|process|"
    r"conclude|be\s(?:sure|certain|determined|calculated|computed|provided|identified|answered|known|inferred|told|said)|have\s(?:enough|sufficient|access)"
)
REFUSED = re.compile(
    rf"""\b(?:can\s?not|can['’]t|could\snot|couldn['’]t|do\snot|don['’]t|does\snot|doesn['’]t|(?:unable|impossible|not\spossible|not\sable)\sto)
         \s(?:\w{{1,20}}\s){{0,2}}?(?:{_GIVE})\b
     |\b(?:is|are|it['’]s|remains?|seems?)\s(?:\w{{1,20}}\s)?(?:unclear|unknown|undetermined|indeterminate|uncertain|not\s(?:clear|known|sure))\b
     |\A\W*(?:unclear|unknown|undetermined|uncertain|n/?a|not\s(?:sure|clear|known))\b
     |(?:\b(?:not\senough|insufficient)|(?:\A\W*|\b(?:there\sis|have|given)\s)no)\s(?:information|context|data|evidence|details?)\b
     |\bno\sidea\b|\b(?:I['’]m|I\sam)\s(?:not\s(?:sure|certain)|unsure|uncertain)\b
     |无法|不知道|不确定|不清楚""",
    re.IGNORECASE | re.VERBOSE,
)
_OF_THE_ONE_WHO_ANSWERS = re.compile(
    r"\W*(?:(?:sorry|unfortunately|but|however|I['’]m\ssorry|as\san\sAI(?:\s\w{1,20}){0,3})\W+)*(?:I|we|it\s(?:is|seems|remains)|it['’]s|unable|impossible|can\s?not|can['’]t|not|unclear|unknown|uncertain|insufficient|no)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?\n]")


def gives_up(text: str) -> bool:
    """Whether a text begins with saying that there is no answer, rather than with one.

    >>> gives_up("I cannot determine the answer."), gives_up("The street is wet, but I cannot say why.")
    (True, False)
    """
    return _OF_THE_ONE_WHO_ANSWERS.match(text) is not None and REFUSED.search(_SENTENCE.split(text.strip(), maxsplit=1)[0]) is not None
