"""Syntax trees for CodeBLEU: code as a tree without comments, its subtrees, and the flow of data through its variables.

Source: Ren et al. 2020, "CodeBLEU: a Method for Automatic Evaluation of Code Synthesis", sections 3.2 and 3.3; what
the paper leaves open is done as by its published evaluator (CodeXGLUE).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from scorer.metrics.text.code_languages import LANGUAGES, Language, parser_of

if TYPE_CHECKING:
    from tree_sitter import TreeCursor

MOST_BYTES = 50_000
"""Longer code is read up to here."""
MOST_STEPS = 100_000
"""Loops are followed twice, so nested ones cost 2 to their depth: past this many steps a text counts as one without data flow."""
DEEPEST = 200

_WHOLE = frozenset({"string_literal", "string", "character_literal"})
Forms: TypeAlias = dict[tuple[str, tuple[tuple[str | None, int], ...]], int]
"""The number of each form of a subtree: its type, with the labels and forms of its named children."""
Flow = tuple[str, str, tuple[str, ...]]
"""(variable, relation, variables that it comes from), variables numbered in the order of their appearance."""


@dataclass(slots=True)
class Node:
    """A node of a syntax tree. label: what it is called among its siblings; shown: it is part of the tree's form, not punctuation.

    form: its type, or what the parser says of a token that it had to put in. text: of tokens. inner: how many children it had,
    comments among them.
    """

    type: str
    form: str
    label: str | None
    shown: bool
    span: tuple[int, int]
    text: str = ""
    inner: int = 0
    children: list[Node] = field(default_factory=list)

    def named(self, label: str | int) -> Node | None:
        """The first child with this label, or the child at this position."""
        if isinstance(label, int):
            return self.children[label] if label < len(self.children) else None
        return next((child for child in self.children if child.label == label), None)

    @property
    def is_token(self) -> bool:
        return not self.children or self.type in _WHOLE


def syntax_tree(code: str, language: str) -> Node:
    """The tree of a text in a language of LANGUAGES, without comments and Python's docstrings; broken code has a tree too."""
    source = code.encode("utf-8", "replace")[:MOST_BYTES]
    cursor = parser_of(language).parse(source).walk()
    root = _node(cursor, source)
    path = [root]
    going_down = cursor.goto_first_child()
    while len(path) > 1 or going_down:
        if going_down:
            node = _node(cursor, source)
            path.append(node)
            if cursor.goto_first_child():
                continue
        # The node is complete: it goes to its parent, unless it is a comment or had nothing but comments in it.
        node = path.pop()
        if not _is_comment(node, language) and (node.children or not node.inner):
            path[-1].children.append(node)
        if cursor.goto_next_sibling():
            going_down = True
        else:
            cursor.goto_parent()
            going_down = False
    return root


def subtrees(root: Node, known: Forms) -> Counter[int]:
    """The forms of all subtrees, the root and every node with children, and how often each occurs.

    A form is the node's type with the labels and forms of its named children, so names and numbers in the code do not matter. Forms
    are numbered in ``known``, which the trees that are compared share: so trees of any depth compare at once.
    """
    forms: dict[int, int] = {}
    found: Counter[int] = Counter()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, children_done = stack.pop()
        if not children_done:
            stack.append((node, True))
            stack.extend((child, False) for child in node.children)
            continue
        forms[id(node)] = form = known.setdefault((node.form, tuple(_shown(node, forms))), len(known))
        if node.children or node is root:
            found[form] += 1
    return found


def data_flow(root: Node, language: str) -> Counter[Flow]:
    """How values move between a text's variables; none if the code is too deep or too entangled to follow, or lacks a part."""
    tokens = list(_tokens(root))
    follower = _Follower(LANGUAGES[language], {token.span: (index, token.text) for index, token in enumerate(tokens)})
    try:
        follower.visit(root, {}, 0)
    except _Lost:
        return Counter()
    edges = sorted(follower.edges, key=lambda edge: edge.index)
    connected = {edge.index for edge in edges if edge.sources} | {source for edge in edges for source in edge.sources}
    merged: dict[int, _Edge] = {}
    for edge in edges:
        if edge.index in connected:
            before = merged.get(edge.index)
            merged[edge.index] = edge if before is None else before.joined(edge)
    numbers: dict[str, str] = {}

    def number(name: str) -> str:
        return numbers.setdefault(name, f"var_{len(numbers)}")

    flows: Counter[Flow] = Counter()
    for edge in merged.values():
        names = tuple(number(name) for name in edge.names)
        flows[(number(edge.name), edge.relation, names)] += 1
    return flows


@dataclass(frozen=True, slots=True)
class _Edge:
    """The variable at a token comes from, or is computed from, others at other tokens."""

    name: str
    index: int
    relation: str
    names: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()

    def joined(self, other: _Edge) -> _Edge:
        names = tuple(dict.fromkeys((*self.names, *other.names)))
        return _Edge(self.name, self.index, self.relation, names, tuple(sorted({*self.sources, *other.sources})))


_States = dict[str, tuple[int, ...]]
"""For each variable the tokens at which it may have got its value."""
_COMES, _COMPUTED = "comesFrom", "computedFrom"


class _Lost(Exception):
    """The flow cannot be followed."""


class _Follower:
    """Walks a tree in the order in which it runs, and notes where each variable's value comes from."""

    def __init__(self, language: Language, tokens: dict[tuple[int, int], tuple[int, str]]) -> None:
        self.edges: list[_Edge] = []
        self._language = language
        self._tokens = tokens
        self._steps = 0

    def visit(self, node: Node, states: _States, depth: int) -> _States:
        """Notes the edges of a node; takes and returns what is known before and after it. It may change ``states``."""
        self._steps += 1
        if depth > DEEPEST or self._steps > MOST_STEPS:
            raise _Lost
        language = self._language
        if node.is_token:
            return self._token(node, states)
        if node.type in language.declarations:
            return self._declaration(node, language.declarations[node.type], states, depth)
        if node.type in language.assignments:
            return self._assignment(node, states, depth)
        if node.type in language.increments:
            variables = self._variables(node)
            self._edges(variables, variables, _COMPUTED, states)
            return states
        if node.type in language.branches:
            return self._branch(node, states, depth)
        if node.type in language.counted:
            return self._counted(node, language.counted[node.type], states, depth)
        if language.each and node.type in language.each:
            return self._each(node, language.each[node.type], states, depth)
        if node.type in language.repeated:
            before = len(self.edges)
            states = self._all([*node.children, *node.children], states, depth)
            self._merge(before)
            return states
        first = [child for child in node.children if child.type in language.first]
        return self._all([*first, *(child for child in node.children if child.type not in language.first)], states, depth)

    def _all(self, nodes: Sequence[Node], states: _States, depth: int) -> _States:
        for node in nodes:
            states = self.visit(node, states, depth + 1)
        return states

    def _token(self, node: Node, states: _States) -> _States:
        index, text = self._tokens[node.span]
        if node.type == text:
            return states
        if text in states:
            self.edges.append(_Edge(text, index, _COMES, (text,), states[text]))
        else:
            if node.type == "identifier":
                states[text] = (index,)
            self.edges.append(_Edge(text, index, _COMES))
        return states

    def _declaration(self, node: Node, labels: tuple[str | int, str | int], states: _States, depth: int) -> _States:
        name, value = labels
        target, source = node.named(name), node.named(value)
        if target is None:
            raise _Lost
        if node.type == "variable_declarator" and isinstance(value, int) and len(node.children) != 2:
            source = None
        if source is None:
            for index, text in self._variables(target):
                self.edges.append(_Edge(text, index, _COMES))
                states[text] = (index,)
            return states
        targets, sources = self._variables(target), self._variables(source)
        states = self.visit(source, states, depth + 1)
        self._edges(targets, sources, _COMES, states)
        return states

    def _assignment(self, node: Node, states: _States, depth: int) -> _States:
        left, right = node.named("left"), node.named("right")
        if not self._language.pairwise:
            if left is None or right is None:
                raise _Lost
            states = self.visit(right, states, depth + 1)
            self._edges(self._variables(left), self._variables(right), _COMPUTED, states)
            return states
        if node.type == "for_in_clause":
            right = node.children[-1]
        elif right is None and node.type in {"assignment", "augmented_assignment"} and "for_in_clause" in self._language.first:
            return states  # a Python declaration without a value
        if left is None or right is None:
            raise _Lost
        pairs = [(left, right)] if node.type == "for_in_clause" else _pairs(left, right)
        if node.type == "operator_assignment":
            pairs = [(node.children[0], node.children[-1])]
        return self._pairwise(pairs, states, depth)

    def _pairwise(self, pairs: Sequence[tuple[Node, Node]], states: _States, depth: int) -> _States:
        states = self._all([right for _left, right in pairs], states, depth)
        for left, right in pairs:
            sources = self._variables(right)
            for index, text in self._variables(left):
                self.edges.append(
                    _Edge(text, index, _COMPUTED, tuple(name for _index, name in sources), tuple(at for at, _name in sources))
                )
                states[text] = (index,)
        return states

    def _branch(self, node: Node, states: _States, depth: int) -> _States:
        language = self._language
        current, others, has_else, apart = dict(states), [], "else" in node.type, False
        for child in node.children:
            has_else = has_else or "else" in child.type
            if language.pairwise:
                # Each alternative is a child of its own; in the other languages all that follows the first "else" is one.
                apart = child.type in (language.branches if "if" in language.branches else {"elif_clause", "else_clause"})
            else:
                apart = apart or child.type in language.branches
            if apart:
                others.append(self.visit(child, dict(states), depth + 1))
            else:
                current = self.visit(child, current, depth + 1)
        others.append(current)
        if language.keeps or not has_else:
            others.append(states)
        merged: dict[str, set[int]] = {}
        for known in others:
            for name, places in known.items():
                merged.setdefault(name, set()).update(places)
        return {name: tuple(sorted(places)) for name, places in merged.items()}

    def _counted(self, node: Node, head: str, states: _States, depth: int) -> _States:
        before = len(self.edges)
        states = self._all(node.children, states, depth)
        at = next((index for index, child in enumerate(node.children) if child.type == head), None)
        if at is not None:
            update = node.children[at].named("update") if head == "for_clause" else None
            again = node.children[at + 1 :]
            states = self._all(again if update is None else [update, *again], states, depth)
        self._merge(before)
        return states

    def _each(self, node: Node, labels: tuple[str, str, str], states: _States, depth: int) -> _States:
        name, value, body = labels
        before = len(self.edges)
        for _turn in range(2):
            target, source, inner = node.named(name), node.named(value), node.named(body)
            if name == value:
                variables = [child for child in node.children if child.type == name]
                source, target = (variables[0], variables[1]) if len(variables) > 1 else (None, None)
            if self._language.pairwise and "for_in_clause" in self._language.first:
                inner = (
                    node.children[-1] if node.children[-1].type == "block" else Node(type="", form="", label=None, shown=False, span=(0, 0))
                )
            if target is None or source is None or inner is None:
                raise _Lost
            if self._language.pairwise:
                states = self._pairwise(_pairs(target, source) if name == "left" else [(target, source)], states, depth)
            else:
                states = self.visit(source, states, depth + 1)
                self._edges(self._variables(target), self._variables(source), _COMPUTED, states)
            if inner.type:
                states = self.visit(inner, states, depth + 1)
        self._merge(before)
        return states

    def _edges(self, targets: Sequence[tuple[int, str]], sources: Sequence[tuple[int, str]], relation: str, states: _States) -> None:
        """An edge from each source to each target, which then has its value from here."""
        for index, text in targets:
            self.edges.extend(_Edge(text, index, relation, (name,), (at,)) for at, name in sources)
            self._steps += len(sources)
            states[text] = (index,)

    def _merge(self, start: int) -> None:
        """Edges that a loop noted twice are one."""
        merged: dict[tuple[str, int, str], _Edge] = {}
        for edge in self.edges[start:]:
            key = edge.name, edge.index, edge.relation
            merged[key] = merged[key].joined(edge) if key in merged else edge
        self.edges[start:] = sorted(merged.values(), key=lambda edge: edge.index)

    def _variables(self, node: Node) -> list[tuple[int, str]]:
        found = [(self._tokens[token.span], token.type) for token in _tokens(node)]
        self._steps += len(found)
        return [(index, text) for (index, text), kind in found if kind != text]


def _pairs(left: Node, right: Node) -> list[tuple[Node, Node]]:
    """Left and right sides one by one if there are as many, else as wholes."""
    targets = [child for child in left.children if child.type != ","]
    sources = [child for child in right.children if child.type != ","]
    if len(targets) != len(sources) or not targets:
        return [(left, right)]
    return list(zip(targets, sources, strict=True))


def _tokens(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_token:
            yield node
        else:
            stack.extend(reversed(node.children))


def _node(cursor: TreeCursor, source: bytes) -> Node:
    found = cursor.node
    assert found is not None, "the cursor stands on a node"
    start, end = found.start_byte, found.end_byte
    # What the parser put in to go on has no width, and is shown as missing.
    form = str(found) if start == end and found.child_count == 0 else found.type
    text = source[start:end].decode("utf-8", "replace") if found.child_count == 0 or found.type in _WHOLE else ""
    return Node(
        type=found.type,
        form=form,
        label=cursor.field_name,
        shown=found.is_named or found.is_missing,
        span=(start, end),
        text=text,
        inner=found.child_count,
    )


def _is_comment(node: Node, language: str) -> bool:
    """Comments, and in Python strings that stand as statements."""
    if node.type.endswith("comment"):
        return True
    return language == "python" and node.type == "expression_statement" and [child.type for child in node.children] == ["string"]


def _shown(node: Node, forms: dict[int, int]) -> Iterator[tuple[str | None, int]]:
    for child in node.children:
        if child.shown:
            yield child.label, forms[id(child)]
        else:
            yield from _shown(child, forms)
