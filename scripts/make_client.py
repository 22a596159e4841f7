"""Makes what follows from the asynchronous client: the one that waits for answers, and the reference of both.

    python scripts/make_client.py

genlevel/client/async_NAME.py becomes genlevel/client/NAME.py: the same classes with the same arguments and words, whose methods hand the
work to a loop in another thread. Their docstrings become the reference in docs/client.md. A test holds both to their sources.
"""

from __future__ import annotations

import ast
import copy
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "genlevel" / "client"
MODULES = ("client", "results", "runs", "answers", "monitors")
VALUES = ("plans", "runs", "decisions", "details", "verdicts", "answers", "comparisons", "boards", "monitors", "workers")
PAGE = ROOT / "docs" / "client.md"
_MARK = "<!-- from here on made by scripts/make_client.py -->"
_SAID = (("await ", ""), ("async for ", "for "), ("async with ", "with "))
_OWN = frozenset(("__init__", "__repr__", "__aenter__", "__aexit__", "__aiter__", "close"))
"""Methods that the base classes have, or that are written in another way."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    """Writes the files."""
    written = []
    for name in MODULES:
        target = CLIENT / f"{name}.py"
        target.write_text(waiting_module(name), encoding="utf-8")
        written.append(str(target))
    subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", "--select", "I", "--fix", *written], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *written], check=True)
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")


# -- the client that waits -----------------------------------------------------------------------------------------------


def waiting_module(name: str) -> str:
    """The source of genlevel/client/NAME.py, not formatted."""
    source = CLIENT / f"async_{name}.py"
    tree = ast.parse(source.read_text("utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    body = "\n\n\n".join(_class(node) for node in classes)
    title = f"{_said(classes[0].name)}, whose calls wait for their answers."
    made = f"Made of {source.name} by scripts/{Path(__file__).name}: change that."
    runtime, typing = _imports(tree, source.stem, body)
    guarded = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n" + textwrap.indent("\n".join(typing), "    ") if typing else ""
    head = f'"""{title}\n\n{made}\n"""\n\nfrom __future__ import annotations\n'
    return "\n\n".join((head, "\n".join(runtime), guarded, body)) + "\n"


def _imports(tree: ast.Module, source: str, body: str) -> tuple[list[str], list[str]]:
    """The imports that the body needs: those of the source that it still uses, and of the classes that stand for each other."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    own = [f"from genlevel.client.{source} import {node.name}" for node in tree.body if isinstance(node, ast.ClassDef)]
    base = "blocking import BlockingClient" if "BlockingClient" in used else "portal import Portal"
    runtime = [*own, f"from genlevel.client.{base}"]
    if "shown" in used:
        runtime.append("from genlevel.client.blocking import shown")
    if "Iterator" in used:
        runtime.append("from collections.abc import Iterator")
    runtime += _kept(tree.body, used)
    typing = [line for node in tree.body if isinstance(node, ast.If) for line in _kept(node.body, used)]
    return runtime, typing


def _kept(nodes: list[ast.stmt], used: set[str]) -> list[str]:
    lines = []
    for node in nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom) or "TYPE_CHECKING" in (alias.name for alias in node.names):
            continue
        for alias in node.names:
            name = _said(alias.asname or alias.name)
            if name in used:
                text = ast.unparse(ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], 0))
                lines.append(_said(text).replace(".async_", "."))
    return lines


def _class(node: ast.ClassDef) -> str:
    name = _said(node.name)
    is_client = node.name == "AsyncClient"
    bases = ["BlockingClient"] if is_client else [_said(ast.unparse(base)) for base in node.bases]
    lines = [f"class {name}{f'({bases[0]})' if bases else ''}:", _docstring(node, "    "), ""]
    lines.append(_client_init(node) if is_client else _handle_init(node.name, derived=bool(bases)))
    for method in _public(node):
        lines += ["", _method(method)]
    names = {method.name for method in _public(node)}
    lines += ["", _iteration()] if "pages" in names else []
    lines += ["", _shown()] if "card" in names else []
    return "\n".join(lines)


def _public(node: ast.ClassDef) -> Iterator[FunctionNode]:
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name not in _OWN and not method.name.startswith("_"):
            yield method


def _client_init(node: ast.ClassDef) -> str:
    init = next(method for method in node.body if isinstance(method, FunctionNode) and method.name == "__init__")
    return f"    def __init__({_said(ast.unparse(init.args))}) -> None:\n        super().__init__({node.name}({_passed(init)}))"


def _handle_init(name: str, *, derived: bool) -> str:
    if derived:
        return (
            f"    _inner: {name}\n\n    def __init__(self, inner: {name}, portal: Portal) -> None:\n        super().__init__(inner, portal)"
        )
    return (
        f"    def __init__(self, inner: {name}, portal: Portal) -> None:\n"
        "        self._inner = inner\n"
        "        self._portal = portal\n\n"
        "    def __repr__(self) -> str:\n"
        '        return repr(self._inner).replace("<Async", "<", 1)'
    )


def _iteration() -> str:
    return (
        "    def __iter__(self) -> Iterator[Answer]:\n"
        "        for page in self.pages():\n"
        "            yield from page\n\n"
        "    def __len__(self) -> int:\n"
        "        return self.count()"
    )


def _shown() -> str:
    return "    def _repr_html_(self) -> str:\n        return shown(self.card, repr(self))"


def _method(node: FunctionNode) -> str:
    decorators = "".join(f"    @{ast.unparse(decorator)}\n" for decorator in node.decorator_list)
    returned = ast.unparse(node.returns) if node.returns is not None else "None"
    is_property = any(isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in node.decorator_list)
    call = f"self._inner.{node.name}" + ("" if is_property else f"({_passed(node)})")
    lines = [
        f"{decorators}    def {node.name}({ast.unparse(node.args)}) -> {_returned(returned)}:",
        _docstring(node, "        "),
        f"        {_result(call, returned, waits=isinstance(node, ast.AsyncFunctionDef))}",
    ]
    return "\n".join(lines)


def _returned(annotation: str) -> str:
    return _said(annotation.replace("AsyncIterator[", "Iterator["))


def _result(call: str, annotation: str, *, waits: bool) -> str:
    """The statement that answers as the asynchronous method does: its result, with clients of this kind in place of those of the other."""
    if annotation.startswith("AsyncIterator["):
        return f"return self._portal.iterate({call})"
    value = f"self._portal.call({call})" if waits else call
    if made := re.fullmatch(r"list\[Async(\w+)\]", annotation):
        return f"return [{made[1]}(one, self._portal) for one in {value}]"
    if made := re.fullmatch(r"Async(\w+)", annotation):
        return f"return {made[1]}({value}, self._portal)"
    return value if annotation == "None" else f"return {value}"


def _passed(node: FunctionNode) -> str:
    """The arguments of a method, as it hands them on."""
    arguments = node.args
    words = [argument.arg for argument in arguments.args[1:]]
    words += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    words += [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
    words += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return ", ".join(words)


def _docstring(node: ast.ClassDef | FunctionNode, indent: str) -> str:
    text = textwrap.indent(f'"""{_said(ast.get_docstring(node) or "")}', indent)
    return f'{text}\n{indent}"""' if "\n" in text else f'{text}"""'


def _said(text: str) -> str:
    """A text about the asynchronous client as one about the other."""
    text = _without_parentheses(text)
    for there, here in _SAID:
        text = text.replace(there, here)
    return re.sub(r"\bAsync(Client|Results|Run|Answers|Monitor)\b", r"\1", text)


def _without_parentheses(text: str) -> str:
    """``(await x()).y`` as ``x().y``."""
    while (begin := text.find("(await ")) >= 0:
        depth, end = 0, begin
        for end in range(begin, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        inner = text[begin + len("(await ") : end]
        text = text[:begin] + (inner if text[end + 1 : end + 2] == "." else f"({inner})") + text[end + 1 :]
    return text


# -- the reference -------------------------------------------------------------------------------------------------------


def page(text: str) -> str:
    """docs/client.md with its reference made anew. text: as it is."""
    written, mark, _ = text.partition(_MARK)
    assert mark, f"docs/client.md has no line {_MARK}"
    return f"{written}{_MARK}\n\n{reference()}"


def reference() -> str:
    """What can be called, and what is given and got, as Markdown."""
    classes = {node.name: node for name in MODULES for node in ast.parse(waiting_module(name)).body if isinstance(node, ast.ClassDef)}
    bases = {ast.unparse(base) for node in classes.values() for base in node.bases}
    parts = []
    for node in classes.values():
        if node.name not in bases:
            parts += [f"## {node.name}", *_prose(ast.get_docstring(node) or "")]
            methods = [*_documented(node), *(method for base in node.bases for method in _inherited(base, classes))]
            methods.sort(key=lambda method: not method.decorator_list)  # what it is goes before what it does
            parts += [part for method in methods for part in _method_reference(node.name, method)]
    parts.append("## Arguments and values")
    parts += [part for kind in values() for part in (f"### {kind.name}", *_value_reference(kind))]
    return "\n\n".join(parts) + "\n"


def values() -> list[ast.ClassDef]:
    """The classes of arguments and values, in the order of the page."""
    files = [CLIENT / "asking.py", *(CLIENT / "values" / f"{name}.py" for name in VALUES)]
    return [node for file in files for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]


def _documented(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [method for method in node.body if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")]


def _inherited(base: ast.expr, classes: Mapping[str, ast.ClassDef]) -> list[ast.FunctionDef]:
    name = ast.unparse(base)
    if name in classes:
        return _documented(classes[name])
    written = ast.parse((CLIENT / "blocking.py").read_text("utf-8")).body
    return [method for node in written if isinstance(node, ast.ClassDef) and node.name == name for method in _documented(node)]


def _method_reference(of: str, node: ast.FunctionDef) -> list[str]:
    given = copy.deepcopy(node.args)
    del given.args[0]
    is_property = bool(node.decorator_list)
    returned = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    call = node.name + ("" if is_property else f"({ast.unparse(given)})") + returned
    return [f"### {of}.{node.name}", f"```python\n{call}\n```", *_prose(ast.get_docstring(node) or "")]


def _value_reference(node: ast.ClassDef) -> list[str]:
    text, sections = _sections(ast.get_docstring(node) or "")
    types = {
        entry.target.id: ast.unparse(entry.annotation)
        for entry in node.body
        if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name)
    }
    rows = [f"| `{name}` | {_cell(types.get(name, ''))} | {said} |" for name, said in _entries(sections.get("Attributes", ""))]
    return [text, "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])]


def _cell(kind: str) -> str:
    return f"`{kind}`".replace("|", "\\|") if kind else ""


def _prose(docstring: str) -> list[str]:
    """A docstring as Markdown: its words, arguments and errors as lists, its example as code."""
    text, sections = _sections(docstring)
    parts = [text]
    for title in ("Args", "Attributes", "Raises"):
        if title in sections:
            lines = [f"- `{name}`: {said}" for name, said in _entries(sections[title])]
            parts.append("\n".join(lines) if title != "Raises" else "Raises:\n\n" + "\n".join(lines))
    if "Example" in sections:
        parts.append(f"```python\n{textwrap.dedent(sections['Example']).strip()}\n```")
    return parts


def _sections(docstring: str) -> tuple[str, dict[str, str]]:
    """The words before the first section, and the sections by title."""
    text, *rest = re.split(r"^(Args|Attributes|Raises|Example):\n", docstring, flags=re.MULTILINE)
    words = re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip()).replace("``", "`")
    return words, {
        title: said.replace("``", "`") if title != "Example" else said for title, said in zip(rest[::2], rest[1::2], strict=True)
    }


def _entries(section: str) -> Iterator[tuple[str, str]]:
    """(name, what is said of it) of each entry of a section."""
    entry = textwrap.dedent(section).strip()
    for part in re.split(r"\n(?=\S)", entry) if entry else []:
        name, _, said = part.partition(":")
        yield name, " ".join(said.split())


if __name__ == "__main__":
    main()
