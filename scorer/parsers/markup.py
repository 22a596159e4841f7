"""What sets words off without saying anything: tags of HTML and LaTeX around letters and names."""

from __future__ import annotations

import re

_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|mark|code|span|p|br|div|h[1-6]|label|category|class|option|choice|prediction|result|output)\s?/?>",
    re.IGNORECASE,
)
_IN_LATEX = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|emph) ?\{([^{}]*)\}")
_MATH = re.compile(r"\\[()\[\]]|\\[,;:! ](?=\s|\Z)")


def without_markup(text: str) -> str:
    """The text without tags of emphasis, LaTeX's text in mathematics, and the delimiters of mathematics.

    >>> without_markup(r"Answer: \\( \\text{B} \\)").split()
    ['Answer:', 'B']
    """
    if "<" in text:
        text = _TAG.sub(" ", text)
    return _MATH.sub(" ", _IN_LATEX.sub(r"\1", text)) if "\\" in text else text
