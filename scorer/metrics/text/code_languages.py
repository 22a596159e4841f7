"""The programming languages that CodeBLEU knows: grammar, keywords, and which of a grammar's nodes move data.

Keywords and node names are those of the published evaluator (CodeXGLUE's, as the codebleu package has it), so that its figures can be
met, unevenness included: C and C++ follow C#'s nodes, of which today's grammars have renamed some (their "for each" runs as a plain node),
and plain JavaScript assignments count as expressions.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from tree_sitter import Parser


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    grammar: the tree-sitter package and its function. keywords: weigh five times as much as other tokens.
    declarations: node -> the fields of the new name and of its value (an integer is a child's position).
    assignments, increments: nodes that compute their left side. pairwise: "a, b = c, d" is read as two assignments.
    branches: nodes (and tokens) that begin an alternative. keeps: what was known before a branch is so after it, else or not.
    counted: "for" with a head -> the child after which it runs again. each: "for each" -> the fields of name, value and body.
    repeated: other loops. first: children that run before their siblings.
    """

    grammar: tuple[str, str]
    keywords: frozenset[str]
    declarations: dict[str, tuple[str | int, str | int]]
    assignments: frozenset[str]
    branches: frozenset[str]
    counted: dict[str, str]
    repeated: frozenset[str]
    increments: frozenset[str] = frozenset()
    each: dict[str, tuple[str, str, str]] | None = None
    pairwise: bool = False
    keeps: bool = False
    first: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_C_KEYWORDS = (
    "auto else long switch break enum register typedef case extern return union char float short unsigned const for signed void "
    "continue goto sizeof volatile default if static while do int struct _Packed double"
)


class _Nodes(TypedDict):
    """Which nodes move data, as in ``Language``."""

    declarations: dict[str, tuple[str | int, str | int]]
    assignments: frozenset[str]
    increments: frozenset[str]
    branches: frozenset[str]
    counted: dict[str, str]
    each: dict[str, tuple[str, str, str]]
    repeated: frozenset[str]


_C_SHARP_NODES: _Nodes = {
    "declarations": {"variable_declarator": (0, 1)},
    "assignments": _words("assignment_expression"),
    "increments": _words("postfix_unary_expression"),
    "branches": _words("if_statement else"),
    "counted": {"for_statement": "local_variable_declaration"},
    "each": {"for_each_statement": ("left", "right", "body")},
    "repeated": _words("while_statement"),
}

LANGUAGES: dict[str, Language] = {
    "python": Language(
        ("tree_sitter_python", "language"),
        _words(
            "False None True and as assert async await break class continue def del elif else except finally for from global if import "
            "in is lambda nonlocal not or pass raise return try while with yield match case type"
        ),
        declarations={"default_parameter": ("name", "value")},
        assignments=_words("assignment augmented_assignment for_in_clause"),
        branches=_words("if_statement"),
        counted={},
        each={"for_statement": ("left", "right", "body")},
        repeated=_words("while_statement"),
        pairwise=True,
        first=_words("for_in_clause"),
    ),
    "java": Language(
        ("tree_sitter_java", "language"),
        _words(
            "abstract assert boolean break byte case catch char class const continue default do double else enum extends final finally "
            "float for goto if implements import instanceof int interface long native new package private protected public return short "
            "static strictfp super switch synchronized this throw throws transient try void volatile while"
        ),
        declarations={"variable_declarator": ("name", "value")},
        assignments=_words("assignment_expression"),
        increments=_words("update_expression"),
        branches=_words("if_statement else"),
        counted={"for_statement": "local_variable_declaration"},
        each={"enhanced_for_statement": ("name", "value", "body")},
        repeated=_words("while_statement"),
    ),
    "javascript": Language(
        ("tree_sitter_javascript", "language"),
        _words(
            "await break case catch class const continue debugger default delete do else enum export extends false finally for function "
            "if implements import in instanceof interface let new null package private protected public return super switch static this "
            "throw try True typeof var void while with yield"
        ),
        declarations={"variable_declarator": ("name", "value")},
        assignments=_words("assignment_pattern augmented_assignment_expression"),
        increments=_words("update_expression"),
        branches=_words("if_statement else"),
        counted={"for_statement": "variable_declaration"},
        repeated=_words("while_statement"),
        keeps=True,
    ),
    "c": Language(("tree_sitter_c", "language"), _words(_C_KEYWORDS), **_C_SHARP_NODES),
    "cpp": Language(
        ("tree_sitter_cpp", "language"),
        _words(
            "auto const double float int short struct unsigned break continue else for long signed switch void case default enum goto "
            "register sizeof typedef volatile char do extern if return static union while asm dynamic_cast namespace reinterpret_cast "
            "bool explicit new static_cast typeid catch false try operator template typename class friend private this using const_cast "
            "inline public throw virtual delete mutable protected true wchar_t and bitand compl not_eq or_eq xor_eq and_eq bitor not or "
            "xor cin endl INT_MIN iomanip main npos std cout include INT_MAX iostream MAX_RAND NULL string"
        ),
        **_C_SHARP_NODES,
    ),
    "c_sharp": Language(
        ("tree_sitter_c_sharp", "language"),
        _words(
            "abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum "
            "event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock long "
            "namespace new null object operator out override params private protected public readonly ref return sbyte sealed short "
            "sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual "
            "void volatile while add alias ascending async await by descending dynamic equals from get global group into join let nameof "
            "notnull on orderby partial remove select set unmanaged value var when where yield"
        ),
        **_C_SHARP_NODES,
    ),
    "go": Language(
        ("tree_sitter_go", "language"),
        _words(
            "break default func interface select case defer go map struct chan else goto package switch const fallthrough if range type "
            "continue for import return var false true"
        ),
        declarations={"var_spec": ("name", "value")},
        assignments=_words("assignment_statement"),
        increments=_words("inc_statement"),
        branches=_words("if_statement else"),
        counted={"for_statement": "for_clause"},
        repeated=frozenset(),
        keeps=True,
    ),
    "php": Language(
        ("tree_sitter_php", "language_php"),
        _words(
            "__halt_compiler abstract and array as break callable case catch class clone const continue declare default die do echo else "
            "elseif empty enddeclare endfor endforeach endif endswitch endwhile eval exit extends final for foreach function global goto "
            "if implements include include_once instanceof insteadof interface isset list namespace new or print private protected public "
            "require require_once return static switch throw trait try unset use var while xor"
        ),
        declarations={"simple_parameter": ("name", "default_value")},
        assignments=_words("assignment_expression augmented_assignment_expression"),
        increments=_words("update_expression"),
        branches=_words("if_statement else_clause"),
        counted={"for_statement": "assignment_expression"},
        # The first variable is what is gone through, the second the name.
        each={"foreach_statement": ("variable_name", "variable_name", "body")},
        repeated=_words("while_statement"),
        keeps=True,
    ),
    "ruby": Language(
        ("tree_sitter_ruby", "language"),
        _words(
            "__ENCODING__ __LINE__ __FILE__ BEGIN END alias and begin break case class def defined? do else elsif end ensure false for if "
            "in module next nil not or redo rescue retry return self super then true undef unless until when while yield"
        ),
        declarations={"keyword_parameter": ("name", "value")},
        assignments=_words("assignment operator_assignment"),
        branches=_words("if elsif else unless when"),
        counted={},
        each={"for": ("pattern", "value", "body")},
        repeated=_words("while_modifier until"),
        pairwise=True,
    ),
    "rust": Language(
        ("tree_sitter_rust", "language"),
        _words(
            "as async await block bool break char const continue crate default dyn else enum expr extern f32 f64 false fn for i128 i16 i32 "
            "i64 i8 ident if impl in isize item let lifetime literal loop macro_rules! match meta mod move mut pat path pub ref return "
            "self static stmt str struct super trait true tt ty type u128 u16 u32 u64 u8 union unsafe use usize vis where while yield"
        ),
        declarations={"function_item": (1, 2)},
        assignments=_words("assignment_expression compound_assignment_expr let_expression"),
        branches=_words("if_expression if_let_expression match_expression else"),
        counted={"for_expression": "local_variable_declaration"},
        repeated=_words("while_expression while_let_expression loop_expression"),
    ),
}

_NAMES = {
    "py": "python",
    "python2": "python",
    "python3": "python",
    "js": "javascript",
    "node": "javascript",
    "nodejs": "javascript",
    "c++": "cpp",
    "cplusplus": "cpp",
    "cxx": "cpp",
    "c#": "c_sharp",
    "cs": "c_sharp",
    "csharp": "c_sharp",
    "golang": "go",
    "rb": "ruby",
    "rs": "rust",
}


def language_named(name: str) -> str | None:
    """The key in LANGUAGES that a name means; None if no language here has it.

    >>> language_named("C++"), language_named("Python 3"), language_named("COBOL")
    ('cpp', 'python', None)
    """
    plain = "".join(name.casefold().split()).replace("-", "_")
    known = _NAMES.get(plain, plain)
    return known if known in LANGUAGES else None


@cache
def parser_of(name: str) -> Parser:
    """The tree-sitter parser of a language, made once."""
    from tree_sitter import Language as Grammar
    from tree_sitter import Parser

    package, function = LANGUAGES[name].grammar
    return Parser(Grammar(getattr(importlib.import_module(package), function)()))
