"""Hints that a policy is not a function of its arguments, by what its source says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

HINTS: Final = (
    (re.compile(r"(random|secrets|uuid|numpy\.random|np\.random)(\..*)?"), "draws chance"),
    (
        re.compile(r"time(\..*)?|(.*\.)?(datetime|date)\.(now|today|utcnow)"),
        "reads the clock",
    ),
    (
        re.compile(
            r"(os|socket|subprocess|urllib|http|requests|aiohttp|kubernetes|threading|asyncio)"
            r"(\..*)?|open|input"
        ),
        "reaches outside",
    ),
)
ADVICE: Final = {
    "draws chance": "decisions cannot be repeated; equals are drawn by pilotfish, from its seed",
    "reads the clock": "decisions cannot be repeated",
    "reaches outside": "every pod waits for it, and decisions cannot be repeated",
    "keeps something": "a policy keeps nothing between pods; look at node.pods instead",
}


def hints_of(source: str) -> Iterator[str]:
    """Yield `line: what it does: why that is bad`, once a line."""
    found = sorted(set(_of_tree(ast.parse(source))))
    for line, does, what in found:
        yield f"{line}: it {does}: {what}: {ADVICE[does]}"


def _of_tree(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names = [f"{module}.{alias.name}" for alias in aliases]
            case ast.Call(func=ast.Name(id=name)):
                names = [name] if name in ("open", "input") else []
            case ast.Attribute(value=ast.Name() | ast.Attribute()):
                name = ast.unparse(node)
                names = [name] if name.endswith((".now", ".today", ".utcnow")) else []
            case ast.Global(names=names):
                yield node.lineno, "keeps something", f"global {', '.join(names)}"
                continue
            case ast.FunctionDef(name=name) if name != "__init__":
                yield from _kept(node)
                continue
            case _:
                continue
        yield from (
            (node.lineno, does, name)
            for name in names
            for pattern, does in HINTS
            if pattern.fullmatch(name)
        )


def _kept(function: ast.FunctionDef) -> Iterator[tuple[int, str, str]]:
    """Find what a method writes to itself."""
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                yield node.lineno, "keeps something", ast.unparse(node)
