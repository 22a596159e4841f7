"""Relations between things: triplets of subject, predicate and object, in every form, the surest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from genlevel.benchmark.forms.boxes import BOX_KEYS, box_of, format_under
from genlevel.benchmark.forms.entries import RelationEntry, scored
from genlevel.benchmark.forms.shapes import first, label_of, number, opened, score_of, shown, unwrapped, whole
from genlevel.benchmark.labels import text_of

_SUBJECTS = ("subject", "subj", "sub", "head", "source", "from", "s")
_PREDICATES = ("predicate", "relation", "relationship", "rel", "pred", "verb", "type", "p")
_OBJECTS = ("object", "obj", "tail", "target", "to", "o")
_ARROW = re.compile(r"\s*(?:=+>|-+>|→|\||\t)\s*")
_ENDS = " \t\r\n.;"
_LONGEST = 2_000
MOST = 100_000


def relations(value: object) -> list[RelationEntry]:
    """Relations in normal form: [{"subject", "predicate", "object", "subject_box"?, "object_box"?, "score"?}], the surest
    first if all have a score.

    Reads triplets as lists, objects and texts ("man => rides => horse", "(man, rides, horse)"), one a line; scene graphs whose
    relations number their objects; and any other text, such as "left of" or a sentence, as a predicate alone.
    Raises ValueError for what cannot be read.
    """
    found = list(_walk(_unwrapped(value), {}))
    if len(found) > MOST:
        raise ValueError(f"{len(found)} relations; at most {MOST} are read")
    if found and all("score" in one for one in found):
        found.sort(key=lambda one: -one.get("score", 0.0))
    return found


def _unwrapped(value: object) -> object:
    value = opened(value)
    if isinstance(value, dict) and first(value, ("relations", "relationships", "triplets", "triples", "edges")) is not None:
        return value
    return unwrapped(value)


def _walk(value: object, things: dict[str, Thing]) -> Iterator[RelationEntry]:
    value = opened(value)
    match value:
        case None:
            return
        case str():
            yield from _of_text(value)
        case dict():
            listed = first(value, ("relations", "relationships", "triplets", "triples", "edges"))
            if listed is not None and not isinstance(listed, str):
                yield from _walk(listed, things | _things(first(value, ("objects", "nodes", "entities"))))
            elif first(value, _PREDICATES) is not None and (first(value, _SUBJECTS) is not None or first(value, _OBJECTS) is not None):
                yield _of_object(value, things)
            elif isinstance(value.get("triplet"), list | str):
                yield from (scored(one, score_of(value)) for one in _walk(value["triplet"], things))
            elif isinstance(text := first(value, _PREDICATES), str):
                yield RelationEntry(subject="", predicate=text.strip(), object="")
            else:
                for part in value.values():
                    if not isinstance(part, dict | list | str):
                        raise ValueError(f"{shown(value)} is not a relation of subject, predicate and object")
                    yield from _walk(part, things)
        case list() if len(value) in (3, 4) and all(isinstance(part, str | int) for part in value[:3]) and not _are_texts(value):
            yield _of_triplet(value, things)
        case list():
            for part in value:
                yield from _walk(part, things)
        case _:
            raise ValueError(f"{shown(value)} is not a relation of subject, predicate and object")


def _are_texts(value: list[object]) -> bool:
    """Whether these are relations as texts rather than the parts of one."""
    return all(isinstance(part, str) and len(_parts(part)) == 3 for part in value)


def _parts(text: str) -> list[str]:
    inner = text.strip().strip(_ENDS).strip()
    bracketed = inner[:1] in "(<[" and inner[-1:] in ")>]"
    inner = inner.strip("()<>[]") if bracketed else inner
    arrows = [part.strip().strip(" '\"").strip() for part in _ARROW.split(inner)]
    if len(arrows) == 3 and all(arrows):
        return arrows
    commas = [part.strip().strip(" '\"").strip() for part in inner.split(",")]
    return commas if bracketed and len(commas) == 3 and all(commas) else [inner]


def _of_text(text: str) -> Iterator[RelationEntry]:
    for line in re.split(r"\n|;|(?<=[)>\]]),", text):
        if not line.strip().strip(_ENDS).strip():
            continue
        if len(line) > _LONGEST:
            raise ValueError(f"a relation of {len(line)} characters is too long")
        parts = _parts(line)
        subject, predicate, object_ = parts if len(parts) == 3 else ("", parts[0], "")
        yield RelationEntry(subject=subject, predicate=predicate, object=object_)


def _of_triplet(value: list[object], things: dict[str, Thing]) -> RelationEntry:
    subject, middle, last = value[:3]
    # A scene graph numbers its objects: [subject, object, predicate].
    if whole(subject) is not None and whole(middle) is not None and isinstance(last, str) and things:
        middle, last = last, middle
    found = _with_boxes(_thing(subject, things), text_of(middle).strip(), _thing(last, things))
    return scored(found, number(value[3]) if len(value) == 4 else None)


Thing = tuple[str, "list[float] | None"]


def _of_object(value: dict[str, object], things: dict[str, Thing]) -> RelationEntry:
    subject, object_ = _thing(first(value, _SUBJECTS), things), _thing(first(value, _OBJECTS), things)
    boxes = [_box(value, [f"{name}_{key}" for name in names for key in BOX_KEYS]) for names in (_SUBJECTS, _OBJECTS)]
    predicate = first(value, _PREDICATES)
    text = (label_of(predicate) or "") if isinstance(predicate, dict) else text_of(predicate)
    found = _with_boxes((subject[0], boxes[0] or subject[1]), text.strip(), (object_[0], boxes[1] or object_[1]))
    return scored(found, score_of(value))


def _with_boxes(subject: Thing, predicate: str, object_: Thing) -> RelationEntry:
    found = RelationEntry(subject=subject[0], predicate=predicate, object=object_[0])
    if subject[1] is not None:
        found["subject_box"] = subject[1]
    if object_[1] is not None:
        found["object_box"] = object_[1]
    return found


def _thing(value: object, things: dict[str, Thing]) -> Thing:
    """A subject or object: its name, an object with name and box, or the number of one."""
    if isinstance(value, dict):
        names = value.get("names")
        name = label_of(value) or (names[0] if isinstance(names, list) and names and isinstance(names[0], str) else "")
        return name, _box(value, BOX_KEYS) or box_of(value)
    if (number_ := whole(value)) is not None and str(number_) in things:
        return things[str(number_)]
    if isinstance(value, str) and value.strip() in things:
        return things[value.strip()]
    return text_of(value).strip() if not isinstance(value, list) else ", ".join(text_of(part) for part in value), None


def _things(value: object) -> dict[str, Thing]:
    """The objects of a scene graph by their number (or id)."""
    if isinstance(value, list):
        found: dict[str, Thing] = {}
        for position, entry in enumerate(value):
            called = first(entry, ("id", "object_id", "index")) if isinstance(entry, dict) else None
            found[text_of(position if called is None else called)] = _thing(entry, {})
        return found
    return {key: _thing(entry, {}) for key, entry in value.items()} if isinstance(value, dict) else {}


def _box(value: dict[str, object], keys: Iterable[str]) -> list[float] | None:
    """The box under the first of these keys that an object has."""
    key = next((key for key in keys if value.get(key) is not None), None)
    return None if key is None else box_of(opened(value[key]), format_under(key))
