"""The worked examples that the embedded model sees before each question: so small a model answers briefly only after examples.

They are part of the agent, as a system prompt is of larger ones. None of their content is asked in any suite. Left out if
a request brings a system message of its own, or leaves no room for them.
"""

from __future__ import annotations

_REPLY = "Write only what the next speaker says, in one or two sentences."
_TEXT = "Answer with the text that is asked for alone, without any remark."
_CATEGORY = "Answer with the name of the category only."
_LETTER = "Answer with the letter of the correct option only"
_NUMBER = "Answer with the number only."
_WORDS = "Answer directly, in a few words."

# Question, answer. The last ones weigh most, so they are about images: their answers only have to be copied.
EXAMPLES: tuple[tuple[str, str], ...] = (
    (f"Speaker 1: I cannot find my gloves.\n\n{_REPLY}", "Maybe you left them on the bus. Shall I help you look?"),
    (
        "The old theatre in Bond Street will close in March. Its owner says that too few people come. "
        f"The town wants to turn it into a school.\n\n{_TEXT}",
        "The old theatre in Bond Street will close in March.",
    ),
    (f"You won a free car! Click here now! Is this mail spam or harmless? Choose from: spam, harmless.\n\n{_CATEGORY}", "spam"),
    (f"Which is the coldest season?\n\nA. Summer\nB. Winter\nC. Spring\n\n{_LETTER} (A, B, C).", "B"),
    (f"Eva has 3 coins and finds 4 more. How many coins has she?\n\n{_NUMBER}", "7"),
    (f"Tom went to Spain by ship. He lives in a red house with his aunt.\n\nWith whom does Tom live?\n\n{_WORDS}", "his aunt"),
    (f"Text seen in the image:\nCITY KIOSK\nMilk 0.90\nTea 1.20\nTOTAL 2.10\n\nHow much did the milk cost?\n\n{_WORDS}", "0.90"),
    (f"What do cows eat?\n\nA. Stones\nB. Shoes\nC. Grass\nD. Lamps\n\n{_LETTER} (A, B, C, D).", "C"),
    (f"Text seen in the image:\nMIND THE STEP\n\nWhat does the sign say?\n\n{_WORDS}", "MIND THE STEP"),
)


def example_messages() -> list[dict[str, str]]:
    """The examples as turns of a conversation."""
    return [
        message
        for question, answer in EXAMPLES
        for message in ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    ]
