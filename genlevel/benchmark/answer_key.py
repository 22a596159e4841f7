"""Which answer of a task: of which instance, to which variant of the prompt, in which repeat, with which shuffle of the options."""

from __future__ import annotations

import re
from typing import NamedTuple

MARK = "\x1f"
"""What the text of a key begins with that is not just an instance's id."""
_TEXT = re.compile(f"{MARK}([0-9]+)\\.([0-9]+)\\.([0-9]+){MARK}(.*)", re.DOTALL)


class AnswerKey(NamedTuple):
    """Names one answer within its task. Keys sort by instance first.

    variant: of the prompt, 0 = the suite's own. repeat: 0 = the first time the question is asked. shuffle: of the options' order,
    0 = as the dataset has them. All are at least 0.
    """

    instance: str
    variant: int = 0
    repeat: int = 0
    shuffle: int = 0

    def __str__(self) -> str:
        """The key as text, for JSON and for messages: of the plain question just the instance's id.

        >>> str(AnswerKey("q 1")), str(AnswerKey("q 1", repeat=2))
        ('q 1', '\\x1f0.2.0\\x1fq 1')
        """
        instance, variant, repeat, shuffle = self
        if variant == repeat == shuffle == 0 and not instance.startswith(MARK):
            return instance
        return f"{MARK}{variant}.{repeat}.{shuffle}{MARK}{instance}"

    @property
    def question(self) -> AnswerKey:
        """The same question, asked for the first time."""
        return self._replace(repeat=0) if self.repeat else self

    @classmethod
    def parse(cls, text: str) -> AnswerKey:
        """The inverse of ``str``. Any other text is an instance's id, as stored before there were keys.

        >>> AnswerKey.parse("\\x1f0.2.0\\x1fq 1") == AnswerKey("q 1", repeat=2)
        True
        """
        found = _TEXT.fullmatch(text) if text.startswith(MARK) else None
        if found is None:
            return cls(text)
        variant, repeat, shuffle, instance = found.groups()
        return cls(instance, int(variant), int(repeat), int(shuffle))
