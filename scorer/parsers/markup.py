"""What sets words off without saying anything: tags of HTML and LaTeX around letters and names."""

from __future__ import annotations

import re

_TAG = re.compile(r"</?[A-Za-z][\w-]{0,20}\s?/?>")
_IN_LATEX = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|emph) ?\{([^{}]*)\}")
_MATH = re.compile(r"\\[()\[\]]|\\[,;:! ](?=\s|\Z)")


def without_markup(text: str, *, tags: bool = True) -> str:
    """The text without LaTeX's text in mathematics, the delimiters of mathematics, and tags, unless they may be what is meant.

    >>> without_markup(r"Answer: \\( \\text{B} \\)").split()
    ['Answer:', 'B']
    """
    if tags and "<" in text:
        text = _TAG.sub(" ", text)
    return _MATH.sub(" ", _IN_LATEX.sub(r"\1", text)) if "\\" in text else text
