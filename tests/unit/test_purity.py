"""The pure packages do no I/O, read no clock and draw no chance, by what their source says."""

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "pilotfish"
PURE = ("api", "config", "framework", "plugins", "cache", "queue", "cluster", "core")
IMPORTS = re.compile(
    r"(aiohttp|asyncio|concurrent|http|io|logging|multiprocessing|os|pathlib|secrets|select|"
    r"shutil|signal|socket|ssl|subprocess|sys|tempfile|threading|time|urllib|uuid|uvloop|numpy\.random)(\..+)?|random\.(?!Random$)\w+"
)
CALLS = re.compile(r"breakpoint|eval|exec|input|open|print|__import__")
NAMES = re.compile(
    r"random\.(?!Random$)\w+|(np|numpy)\.random(\.\w+)?|(\w+\.)?(datetime|date)\.(now|today|utcnow)"
)


def impurities(source: str) -> Iterator[str]:
    """Yield `line: name` for what a pure package may not import, call or name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                names, rule = [alias.name for alias in aliases], IMPORTS
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names, rule = [f"{module}.{alias.name}" for alias in aliases], IMPORTS
            case ast.Call(func=ast.Name(id=name)):
                names, rule = [name], CALLS
            case ast.Attribute():
                names, rule = [ast.unparse(node)], NAMES
            case _:
                continue
        yield from (f"{node.lineno}: {name}" for name in names if rule.fullmatch(name))


def test_pure_packages_make_no_impure_import_or_call() -> None:
    files = [path for package in PURE for path in sorted((SOURCE / package).rglob("*.py"))]
    found = [
        f"{path.relative_to(SOURCE)}:{impurity}"
        for path in files
        for impurity in impurities(path.read_text())
    ]
    assert files
    assert found == []


@pytest.mark.parametrize(
    ("source", "impurity"),
    [
        ("import time", "1: time"),
        ("import asyncio.events as e", "1: asyncio.events"),
        ("from os import path", "1: os.path"),
        ("def f():\n    import logging", "2: logging"),
        ("from random import Random, choice", "1: random.choice"),
        ("from numpy import random", "1: numpy.random"),
        ("random.choice([1])", "1: random.choice"),
        ("np.random.default_rng", "1: np.random.default_rng"),
        ("datetime.now()", "1: datetime.now"),
        ("dt.datetime.now(tz)", "1: dt.datetime.now"),
        ("print(1)", "1: print"),
        ("open('f')", "1: open"),
    ],
)
def test_impure_source_is_found(source: str, impurity: str) -> None:
    assert impurity in list(impurities(source))


def test_random_as_a_type_and_names_that_only_look_impure_are_allowed() -> None:
    source = (
        "from random import Random\nimport random\nx: random.Random\nself.time(now)\ngate.open()"
    )
    assert list(impurities(source)) == []


def test_unit_test_cannot_open_a_connection() -> None:
    with socket.socket() as unconnected, pytest.raises(RuntimeError, match="wants a socket"):
        unconnected.connect(("127.0.0.1", 9))
