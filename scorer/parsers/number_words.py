"""Numbers in words: twenty-one, two hundred and five, 四十二; and the places of a sentence in which such a word is a count.

A word is a number in many places in which nothing is counted ("the two dogs", "one of them"), so a word counts if it is all of an answer,
or follows what introduces a count.
"""

from __future__ import annotations

import re

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {
    **{word: value for value, word in enumerate(_ONES.split())},
    **{word: 20 + 10 * place for place, word in enumerate(_TENS.split())},
    "fourty": 40,
}
_LARGE = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ANY = "|".join(sorted({**_SMALL, **_LARGE}, key=len, reverse=True))
_ONE = "|".join(sorted(_SMALL, key=len, reverse=True))
# One number in words, whole: not "two or three", "two thirds" or "two dozen boxes of six".
NUMBER_IN_WORDS = rf"(?:(?:an?[ ])(?=(?:dozen|hundred|thousand|million)\b))?(?:{_ANY})(?:(?:[ -]|[ ]and[ ])(?:{_ANY})(?![\w'’]))*"
# What makes another number of it, or no number: two thirds, two times three, one could say.
_GOES_ON = (
    r"(?:[- ](?:or|and|to|by|point|times|plus|minus|squared|cubed|more|less|fewer|dozens|pairs?|couples?|halves|half|thirds?|quarters?"
    r"|fourths?|fifths?|sixths?|eighths?|tenths?|hundredths?|hundreds|thousands|millions|billions|lakhs?|crores?|can|could|might|may|would|should|moment"
    r"|way|thing|another|who|that|cannot|must|has)\b|[-/]\w|['’]s?\b)"
)
# "One of the cars" says which, "three of the cars" how many.
_WHOLE = rf"(?P<count>{NUMBER_IN_WORDS})(?![\w'’])(?!{_GOES_ON})(?!(?<=one)[ ]of\b)"
_BEFORE = (
    r"\b(?:(?:there|these|those)[ ](?:is|are|was|were|(?:appears?|seems?)[ ]to[ ]be)"
    r"|(?:I|we)[ ](?:can[ ])?(?:also[ ])?(?:see|count|counted|find|found|spot)"
    r"|(?:number|count|total|amount|sum|result|answer|value|age|score)(?:[ ](?!is|was)[\w-]{1,20}){0,8}[ ](?:is|was|equals)"
    r"|(?:a|in)[ ]total[ ]of|(?:shows|contains|depicts|includes|features))"
)
_INTRODUCED = re.compile(
    rf"(?P<before>{_BEFORE}:?[ ](?:(?:a[ ]total[ ]of|exactly|only|just|about|approximately|therefore|thus|clearly)[ ])?){_WHOLE}",
    re.IGNORECASE,
)
_BOLD = re.compile(r"\*\*|__")
# "Three", "three people", "exactly three red cars in the picture": nothing else is said.
_ALL = re.compile(
    rf"\W*(?:exactly[ ]|about[ ]|around[ ]|roughly[ ]|approximately[ ]|only[ ]|just[ ]|it[ ]is[ ]|it['’]s[ ])?{_WHOLE}"
    rf"(?:[ ](?!(?:{_ANY}|and|or)\b)[\w'’-]{{1,20}}){{0,2}}?"
    r"(?:[ ](?:in|on|at|of)[ ](?:the|this)(?:[ ][\w'’-]{1,20}){1,3})?(?:[ ](?:is|are)[ ](?:visible|present|shown|there|seen))?"
    r"(?:[ ]in[ ]total)?\W*",
    re.IGNORECASE,
)
# "Three people older than 60", "Three of the 10 people": the other number is no count.
_BESIDE_ANOTHER = re.compile(
    rf"\A(?P<before>\W*){_WHOLE}(?=(?:[ ][\w'’-]{{1,20}}){{0,3}}[ ]"
    r"(?:(?:out[ ])?of[ ](?:the[ ]|all[ ])?\d|(?:\w{2,12}er|more|less)[ ]than[ ]))",
    re.IGNORECASE,
)
# What stands beside a count: "two cars, one bus and three red bicycles, so six".
_BESIDE = re.compile(
    rf"(?P<before>(?<![\w'’-])(?<!\bthe )(?<!\bof )(?:(?:so|thus|therefore|hence),? )?)(?!(?<!\band )(?<!, )one\b){_WHOLE}"
    r"(?=[ ](?!(?:is|are|was|were|has|have|can|does|in|on|at)\b)[A-Za-z]|(?<!one)[.]?\Z)",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\W*(?:there[ ](?:(?:is|are|was|were)[ ]no|(?:isn['’]t|aren['’]t|(?:is|are)[ ]not)[ ]any)"
    r"|no(?=[ ](?:[\w'’-]{1,20}[ ]){1,3}(?:is|are)[ ](?:visible|present|seen|shown)\b))[ ]"
    r"(?!(?:answer|way|solution|number|information|evidence|data|picture|image|doubt|need|question"
    r"|context|clear|definit\w+|single|specific|mention|indication|reason|such|one|real|figure|diagram)\b)[\w'’ -]{1,60}\W*",
    re.IGNORECASE,
)

# 0 to 10 as other languages say them; what is also an article or a pronoun is left out.
_ELSEWHERE = (
    "cero - dos tres cuatro cinco seis siete ocho nueve diez",
    "zéro - deux trois quatre cinq six sept huit neuf dix",
    "null - zwei drei vier fünf sechs sieben acht neun zehn",
    "zero - dois três quatro cinco seis sete oito nove dez",
    "zero - due tre quattro cinque sei sette otto nove dieci",
    "ноль один два три четыре пять шесть семь восемь девять десять",
    "शून्य एक दो तीन चार पांच छह सात आठ नौ दस",
    "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة",
    "শূন্য এক দুই তিন চার পাঁচ ছয় সাত আট নয় দশ",
    "صفر ایک دو تین چار پانچ چھ سات آٹھ نو دس",
    "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh",
    "sıfır bir iki üç dört beş altı yedi sekiz dokuz on",
    "không một hai ba bốn năm sáu bảy tám chín mười",
)
_OF_ELSEWHERE = {word: value for row in _ELSEWHERE for value, word in enumerate(row.split()) if word != "-"}
_HAN = {**{digit: value for value, digit in enumerate("零一二三四五六七八九十")}, "〇": 0, "两": 2, "兩": 2, "壹": 1, "贰": 2, "叁": 3}
_HAN_COUNT = re.compile(
    r"[\W_]*(?:答案[是为為]?|(?:图|圖|画面|照片)?(?:片)?(?:中|里|上)?(?:一共|总共|總共|共)?有|一共|总共|總共|共)?[\W_]*([零〇一二三四五六七八九十百千两兩壹贰叁]{1,12})"
    r"(?:[个個只隻条條张張人位辆輛本把棵朵头頭匹件块塊颗顆枚名座架台艘つ匹本枚人個台](?:[\u3040-\u30ff\u4e00-\u9fff]{0,6}))?[\W_]*"
)


def counts_as_digits(text: str) -> str:
    """The text with the words in it that count something as digits; a text that is nothing but such a word as that number.

    >>> counts_as_digits("There are three people older than 60."), counts_as_digits("The two dogs see one of them.")
    ('There are 3 people older than 60.', 'The two dogs see one of them.')
    >>> counts_as_digits("Forty-two"), counts_as_digits("四十二"), counts_as_digits("There are no cars.")
    ('42', '42', '0')
    """
    text = _BOLD.sub("", text)
    plain = text.strip()
    if len(plain) <= 200:
        word = plain.strip(" .!。*").casefold()
        if word in _OF_ELSEWHERE:
            return str(_OF_ELSEWHERE[word])
        whole, han = _ALL.fullmatch(plain), _HAN_COUNT.fullmatch(plain)
        value = value_of(whole["count"]) if whole is not None else _of_han(han[1]) if han is not None else None
        value = 0 if value is None and _NONE.fullmatch(plain) is not None else value
        if value is not None:
            return str(value)
    counted = _INTRODUCED.sub(_as_digits, _BESIDE_ANOTHER.sub(_as_digits, text))
    # If one word counts, others that go with a noun do: "There are two cars and three bicycles, so five vehicles."
    return counted if counted == text else _BESIDE.sub(_as_digits, counted)


def value_of(words: str) -> int | None:
    """What number words say together; None if they are not one number ("two three").

    >>> value_of("two hundred and five"), value_of("forty-two"), value_of("a dozen"), value_of("two three")
    (205, 42, 12, None)
    """
    total, part, last = 0, 0, 1_000
    seen = False
    for word in re.split(r"[ -]+", words.casefold()):
        if word in ("a", "an", "and"):
            continue
        if word in _SMALL:
            value = _SMALL[word]
            # Two hundred and five, twenty-one: each is smaller than what stands before it, and a word of ones goes with tens or hundreds.
            if value >= last or (last < 100 and not (last >= 20 and 0 < value < 10)) or (value == 0 and seen):
                return None
            part, last = part + value, value
        elif word in ("hundred", "dozen"):
            part, last = (part or 1) * _LARGE[word], 100
            if word == "dozen":
                last = 1
        else:
            total, part, last = total + (part or 1) * _LARGE[word], 0, 1_000
        seen = True
    return total + part


def _as_digits(found: re.Match[str]) -> str:
    value = value_of(found["count"])
    return found[0] if value is None else f"{found['before']}{value}"


def _of_han(digits: str) -> int | None:
    if all(_HAN.get(digit, 10) < 10 for digit in digits):
        return int("".join(str(_HAN[digit]) for digit in digits)) if len(digits) == 1 or digits[0] in "零〇" or len(digits) == 4 else None
    total, digit = 0, None
    unit_before = 10_000
    for mark in digits:
        unit = {"十": 10, "百": 100, "千": 1_000}.get(mark)
        if unit is None:
            if digit:
                return None
            digit = _HAN[mark]
        elif unit >= unit_before:
            return None
        else:
            total, digit, unit_before = total + (1 if digit is None else digit) * unit, None, unit
    return total + (digit or 0)
