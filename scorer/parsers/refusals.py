"""Phrases by which an answer says that it gives none."""

from __future__ import annotations

import re

_GIVE = (
    r"determine|tell|say|know|decide|answer|identify|choose|pick|select|provide|give|help|assist|estimate|infer|verify|view|access|process|"
    r"conclude|be\s(?:sure|certain|determined|identified|answered|known|inferred|told|said)|have\s(?:enough|sufficient|access)"
)
REFUSED = re.compile(
    rf"""\b(?:can\s?not|can['’]t|could\snot|couldn['’]t|do\snot|don['’]t|does\snot|doesn['’]t|(?:unable|impossible|not\spossible|not\sable)\sto)
         \s(?:\w{{1,20}}\s){{0,2}}?(?:{_GIVE})\b
     |\b(?:is|are|it['’]s|remains?|seems?)\s(?:\w{{1,20}}\s)?(?:unclear|unknown|undetermined|indeterminate|uncertain|not\s(?:clear|known|sure))\b
     |\A\W*(?:unclear|unknown|undetermined|uncertain|n/?a|not\s(?:sure|clear|known))\b
     |\b(?:not\senough|insufficient|no)\s(?:information|context|data|evidence|details?)\b
     |\bno\sidea\b|\b(?:I['’]m|I\sam)\s(?:not\s(?:sure|certain)|unsure|uncertain)\b
     |无法|不知道|不确定|不清楚""",
    re.IGNORECASE | re.VERBOSE,
)
