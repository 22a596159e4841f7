"""How the most spoken languages say "answer", "is", "because" and "not": one row a language, used wherever an answer is looked for.

Words are parts of regular expressions, matched without regard to case. Scripts without spaces between words have no word boundaries.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_ACCENTED = re.compile("(?<=[A-Za-z\u0370-\u03ff\u0400-\u04ff])[\u0300-\u036f]+")


class Language(NamedTuple):
    """Words of one language, as alternatives of an expression.

    answer: nouns that announce an answer before a colon; right: adjectives of such nouns; verb: what stands between such a noun and the
    answer; because: what begins a reason; so: what begins a conclusion; no: what denies the words after it; no_after: what denies the
    words before it; spaced: whether there are spaces between words.
    """

    name: str
    answer: str
    right: str
    verb: str
    because: str
    so: str
    no: str = ""
    no_after: str = ""
    spaced: bool = True


LANGUAGES = (
    Language(
        "English",
        answer="answers?|ans",
        right="final|correct|right|best",
        verb="is|are|was|would be|should be|must be",
        because="because|since|as|due to|given that|reason",
        so="therefore|thus|hence|so|consequently|accordingly",
        no="not|never|no|cannot|neither|nor|without|isnt|arent|wasnt|dont|doesnt|didnt|cant",
    ),
    Language(
        "Chinese",
        answer="答案|答",
        right="正确|正確|最终|最終|最佳",
        verb="应该是|應該是|应为|應為|是|为|為|选择|選擇|选|選",
        because="因为|因為|由于|由於",
        so="因此|所以|综上所述|综上|因而",
        no="不|非|没|沒",
        no_after="错|錯",
        spaced=False,
    ),
    Language(
        "Hindi",
        answer="उत्तर|जवाब",
        right="सही|अंतिम",
        verb="है",
        because="क्योंकि",
        so="इसलिए|अतः",
        no="न",
        no_after="नहीं|गलत",
    ),
    Language(
        "Spanish",
        answer="respuesta|resp",
        right="correcta|final|mejor",
        verb="es|sería|debe ser",
        because="porque|ya que|dado que|debido a",
        so="por tanto|así",
        no="no|ni|nunca",
    ),
    Language(
        "French",
        answer="réponse|reponse|rép",
        right="correcte|finale|bonne|exacte",
        verb="est|serait|doit être",
        because="parce que|puisque",
        so="donc|ainsi",
        no="pas|ni|jamais|sans|non",
    ),
    Language(
        "Arabic",
        answer="(?:ال)?[إا]جابة|(?:ال)?جواب",
        right="الصحيحة|النهائية|الصحيح|النهائي",
        verb="هي|هو",
        because="لأن|بسبب",
        so="لذلك|إذن",
        no="ليس|ليست|لا|غير",
    ),
    Language(
        "Bengali",
        answer="উত্তর",
        right="সঠিক|চূড়ান্ত",
        verb="হলো|হল|হচ্ছে",
        because="কারণ",
        so="তাই|সুতরাং",
        no="না",
        no_after="নয়|না|ভুল",
    ),
    Language(
        "Portuguese",
        answer="resposta|alternativa",
        right="correta|final|certa",
        verb="é|seria|deve ser",
        because="porque|pois|já que",
        so="portanto",
        no="não|nem|nunca|sem",
    ),
    Language(
        "Russian",
        answer="ответ|вариант",
        right="правильный|окончательный|верный",
        verb="это|является|[-–—]",
        because="потому что|так как|поскольку",
        so="поэтому|значит|итак",
        no="не|нет|ни|без",
    ),
    Language(
        "Urdu",
        answer="جواب",
        right="درست|صحیح|حتمی",
        verb="ہے",
        because="کیونکہ",
        so="لہذا|اس لیے",
        no="نہ",
        no_after="نہیں|غلط",
    ),
    Language(
        "German",
        answer="antwort|lösung",
        right="richtige|korrekte|endgültige|finale",
        verb="ist|lautet|wäre",
        because="weil|denn",
        so="daher|somit|deshalb|folglich",
        no="nicht|kein|keine|keinen|weder|nie|ohne",
    ),
    Language(
        "Japanese",
        answer="答え|回答|解答|正解",
        right="正しい|最終",
        verb="は",
        because="なぜなら|理由",
        so="したがって|よって|ゆえに",
        no_after="ではない|ではありません|じゃない|でない",
        spaced=False,
    ),
    Language(
        "Korean",
        answer="정답|답변|답",
        right="최종|올바른",
        verb="은|는",
        because="왜냐하면|때문",
        so="따라서|그러므로",
        no="안",
        no_after="아니|아닙|아님|않",
        spaced=False,
    ),
    Language(
        "Italian",
        answer="risposta",
        right="corretta|finale|giusta",
        verb="è|sarebbe|deve essere",
        because="perché|poiché",
        so="quindi|dunque|perciò",
        no="non|né|senza",
    ),
    Language(
        "Turkish",
        answer="cevap|yanıt|yanit",
        right="doğru|nihai|son",
        verb="şudur",
        because="çünkü",
        so="dolayısıyla",
        no="ne",
        no_after="değil|yanlış",
    ),
    Language(
        "Vietnamese",
        answer="đáp án|câu trả lời|trả lời",
        right="đúng|cuối cùng|chính xác",
        verb="là",
        because="bởi vì|vì",
        so="vậy|do đó",
        no="không|chẳng|chưa",
    ),
    Language(
        "Indonesian",
        answer="jawaban(?:nya)?",
        right="benar|akhir|tepat",
        verb="adalah|ialah|yaitu",
        because="karena|sebab",
        so="jadi|maka",
        no="bukan|tidak|tak",
    ),
)
"""The ten languages with the most speakers, and some more."""


def without_accents(text: str) -> str:
    """Latin, Greek and Cyrillic letters without their marks; in other scripts marks make other words."""
    return text if text.isascii() else unicodedata.normalize("NFC", _ACCENTED.sub("", unicodedata.normalize("NFD", text)))


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for lists of words that are easier to read as one."""
    return frozenset(text.split())


def any_of(words: str, *, spaced: bool = True) -> str:
    """An expression for one word of any language. words: which ones ("answer"); spaced: of those with spaces between words, or without."""
    found = [getattr(row, words) for row in LANGUAGES if row.spaced is spaced and getattr(row, words)]
    return "|".join(found).replace(" ", r"\s")


def _single(words: str) -> frozenset[str]:
    """The single words among some of all languages, in the form in which words are compared."""
    found = [word for row in LANGUAGES for word in getattr(row, words).split("|")]
    return frozenset(without_accents(word) for word in found if word and " " not in word and word.isalpha())


def _marker() -> str:
    """ "Answer:", "Respuesta correcta：", "答案是": a noun, what qualifies it, and a colon; without spaces a verb stands for the colon."""
    spaced = rf"(?<![^\W_])(?:{any_of('answer')})(?:\s(?:{any_of('right')}))?[*_]{{0,3}}\s{{0,3}}[:：]"
    nouns, verbs = any_of("answer", spaced=False), any_of("verb", spaced=False)
    joined = rf"(?:{nouns})(?:{verbs})?\s?[:：]|(?:答案|正确选项|正確選項)(?:{verbs})|【(?:正确|最终)?(?:{nouns})】\s?[:：]?"
    return rf"(?:{spaced}|{joined})[*_]{{0,3}}"


ANSWER_MARKER = re.compile(_marker(), re.IGNORECASE)
"""What announces an answer, in any of the languages."""


def _answer_is() -> str:
    """ "The answer is", "La respuesta correcta es la", "答案是", "सही उत्तर" before a letter."""
    nouns, verbs = any_of("answer"), any_of("verb")
    letter = r"letra|lettre|lettera|opci[oó]n|opç[aã]o|opzione|option|вариант|буква|pilihan"
    article = rf"(?:(?:la|le|el|die|der|das|lo)\s|[ao]\s(?=(?-i:[A-Z])(?!\w)))?(?:(?:a\s|o\s|l['’])?(?:{letter})\s)?"
    alone = rf"(?<![^\W_])(?:{nouns})\s(?:[-–—=]+>?\s)?(?=[(\[\"'*]{{0,4}}(?-i:[A-Z])[)\]\"'*]{{0,4}}\s?(?:है|ہے|[.।۔!,\n]|\Z))"
    spaced = rf"(?<![^\W_])(?:{nouns})(?:\s(?!(?-i:[A-Z])\b)\w{{1,12}}){{0,2}}?\s(?:{verbs})(?![^\W_])\s?:?\s?{article}"
    joined = rf"(?:{any_of('answer', spaced=False)})\s?(?:{any_of('verb', spaced=False)})\s?"
    return rf"{alone}|{spaced}|{joined}"


ANSWER_IS = _answer_is()
"""What states an answer in a sentence, in any of the languages; in its expressions case does not count."""
WHY = rf"(?:{any_of('because')})"
"""What begins a reason, in languages with spaces between words."""
SO_UNSPACED = re.compile(any_of("so", spaced=False))
"""What begins a conclusion, in languages without spaces between words."""
CONCLUDES = _single("so")
"""Words that begin a conclusion."""
IS = _single("verb") - {"la", "e"}
"""Words between a subject and what it is; without accents two of them are other words of other languages."""
DENIED_BEFORE = _single("no")
"""Words that deny what follows them in their clause."""
UNSPACED_DENIED_AFTER = re.compile(any_of("no_after", spaced=False))
"""What denies the words before it, in languages without spaces between words."""
DENIED_AFTER = _single("no_after")
"""Words that deny what precedes them in their clause."""
