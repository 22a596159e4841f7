"""How the most spoken languages say "answer", "is", "because" and "not": one row a language, used wherever an answer is looked for.

Words are parts of regular expressions, matched without regard to case. Scripts without spaces between words have no word boundaries.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Language(NamedTuple):
    """Words of one language. answer: nouns that announce an answer before a colon; verb: what stands between such a noun and the answer.

    right: adjectives of such nouns; because: what begins a reason; no: what denies the words after it, or those before it (no_after).
    """

    name: str
    answer: str
    right: str
    verb: str
    because: str
    no: str
    no_after: str = ""
    spaced: bool = True


LANGUAGES = (
    Language(
        "English",
        r"answers?|ans",
        r"final|correct|right|best",
        r"is|are|was|would be|should be|must be",
        r"because|since|as|due to|given that|reason",
        r"not|never|no|cannot|isn['’]?t|wasn['’]?t|neither|nor|without",
    ),
    Language(
        "Chinese",
        r"答案|答",
        r"正确|正確|最终|最終|最佳",
        r"应该是|應該是|应为|應為|是|为|為|选择|選擇|选|選",
        r"因为|因為|由于|由於",
        r"不是|不|非|没有|沒有|并非",
        "不对|错误|不正确",
        False,
    ),
    Language("Hindi", r"उत्तर|जवाब", r"सही|अंतिम", r"है", r"क्योंकि", r"न", r"नहीं|गलत"),
    Language(
        "Spanish", r"respuesta|resp", r"correcta|final|mejor", r"es|sería|debe ser", r"porque|ya que|dado que|debido a", r"no|ni|nunca|sin"
    ),
    Language(
        "French",
        r"réponse|reponse|rép",
        r"correcte|finale|bonne|exacte",
        r"est|serait|doit être",
        r"car|parce qu|puisqu",
        r"pas|ni|jamais|sans|non",
    ),
    Language("Arabic", r"(?:ال)?[إا]جابة|(?:ال)?جواب", r"الصحيحة|النهائية|الصحيح|النهائي", r"هي|هو", r"لأن|بسبب", r"ليس|ليست|لا|غير"),
    Language("Bengali", r"উত্তর", r"সঠিক|চূড়ান্ত", r"হলো|হল|হচ্ছে", r"কারণ", r"না", r"নয়|না|ভুল"),
    Language("Portuguese", r"resposta", r"correta|final|certa", r"é|seria|deve ser", r"porque|pois|já que", r"não|nem|nunca|sem"),
    Language(
        "Russian", r"ответ", r"правильный|окончательный|верный", r"это|является|[-–—]", r"потому что|так как|поскольку", r"не|нет|ни|без"
    ),
    Language("Urdu", r"جواب", r"درست|صحیح|حتمی", r"ہے", r"کیونکہ", r"نہ", r"نہیں|غلط"),
    Language(
        "German",
        r"antwort|lösung",
        r"richtige|korrekte|endgültige|finale",
        r"ist|lautet|wäre",
        r"weil|denn|da",
        r"nicht|kein|keine|keinen|weder|noch|nie|ohne",
    ),
    Language(
        "Japanese", r"答え|回答|解答|正解", r"正しい|最終", r"は", r"なぜなら|理由", "", r"ではない|ではありません|じゃない|でない", False
    ),
    Language("Korean", r"정답|답변|답", r"최종|올바른", r"은|는", r"왜냐하면|때문", r"안", r"아니|아닙|아님|않", False),
    Language("Italian", r"risposta", r"corretta|finale|giusta", r"è|sarebbe|deve essere", r"perché|poiché", r"non|né|mai|senza"),
    Language("Turkish", r"cevap|yanıt|yanit", r"doğru|nihai|son", r"şudur", r"çünkü", r"ne", r"değil|yanlış"),
    Language("Vietnamese", r"đáp án|câu trả lời|trả lời", r"đúng|cuối cùng|chính xác", r"là", r"bởi vì|vì", r"không|chẳng|chưa"),
    Language("Indonesian", r"jawaban(?:nya)?", r"benar|akhir|tepat", r"adalah|ialah|yaitu", r"karena|sebab", r"bukan|tidak|tak"),
)
"""The ten languages with the most speakers, and some more."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for lists of words that are easier to read as one."""
    return frozenset(text.split())


def any_of(words: str, *, spaced: bool = True) -> str:
    """An expression for one word of any language. words: which ones ("answer"); spaced: of those with spaces between words, or without."""
    found = [getattr(row, words) for row in LANGUAGES if row.spaced is spaced and getattr(row, words)]
    return "|".join(found).replace(" ", r"\s")


def _marker() -> str:
    """ "Answer:", "Respuesta correcta：", "答案是": a noun, what qualifies it, and a colon; without spaces a verb stands for the colon."""
    spaced = rf"(?<![^\W_])(?:{any_of('answer')})(?:\s(?:{any_of('right')}))?[*_]{{0,3}}\s{{0,3}}[:：]"
    nouns, verbs = any_of("answer", spaced=False), any_of("verb", spaced=False)
    joined = rf"(?:{nouns})(?:{verbs})?\s?[:：]|(?:答案|正确选项|正確選項)(?:{verbs})|【(?:正确|最终)?(?:{nouns})】\s?[:：]?"
    return rf"(?:{spaced}|{joined})[*_]{{0,3}}"


ANSWER_MARKER = re.compile(_marker(), re.IGNORECASE)
"""What announces an answer, in any of the languages."""

WHY = rf"(?:{any_of('because')})"
"""What begins a reason, in languages with spaces between words."""
DENIED_BEFORE = frozenset(word.replace("['’]?", "") for row in LANGUAGES for word in row.no.split("|") if word) | {
    "isnt",
    "arent",
    "wasnt",
    "dont",
    "doesnt",
    "cant",
}
"""Words that deny what follows them in their clause."""
DENIED_AFTER = frozenset(word for row in LANGUAGES for word in row.no_after.split("|") if word)
"""Words that deny what precedes them in their clause."""
