"""What a label of anomaly detection says."""

from __future__ import annotations

from genlevel.benchmark.labels import is_number, text_of
from genlevel.benchmark.texts import normal_text

_NORMAL = frozenset(
    (
        *(
            "0",
            "no",
            "false",
            "negative",
            "none",
            "normal",
            "good",
            "ok",
            "okay",
            "healthy",
            "fine",
            "intact",
            "clean",
            "undamaged",
            "null",
        ),
        *("non anomalous", "nonanomalous", "not anomalous", "non defective", "not defective", "defect free", "anomaly free", "perfect"),
    )
)


def is_anomaly(label: object, options: tuple[str, ...] = ()) -> bool:
    """Whether a label of anomaly detection says that something is wrong: any but "normal", "good", "no", 0, an empty list and the like."""
    match label:
        case bool() | int() | float():
            return bool(label)
        case list() if label and all(isinstance(part, str) for part in label):
            return is_anomaly(label[0], options)
        case list() | dict() | None:
            return bool(label)
        case _:
            text = normal_text(text_of(label))
            if len(text) == 1 and text.isalpha() and ord(text) - ord("a") in range(len(options)):
                text = normal_text(options[ord(text) - ord("a")])
            plain = " ".join(text.replace("-", " ").replace("_", " ").split())
            return not (plain in _NORMAL or plain.startswith(("no ", "without ")) or (is_number(plain) and float(plain) == 0))
