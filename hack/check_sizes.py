"""Check that files and functions stay small enough to read: at most 400 and 50 lines.

A function's lines are counted from `def` to its end, without decorators and docstring.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("src", "tests", "bench", "hack", "examples")
FILE_LINES = 400
FUNCTION_LINES = 50


def offenders(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and complaint for everything in a file that is too long."""
    lines = len(source.splitlines())
    if lines > FILE_LINES:
        yield 1, f"the file has {lines} lines, more than {FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _own_lines(node)
            if length > FUNCTION_LINES:
                yield (
                    node.lineno,
                    f"{node.name} has {length} lines, more than {FUNCTION_LINES}",
                )


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    end = function.end_lineno or function.lineno
    length = end - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def main() -> int:
    """Print each offender as `path:line: complaint`; 1 if there is one."""
    top = Path(__file__).resolve().parents[1]
    found = [
        f"{path.relative_to(top)}:{line}: {complaint}"
        for folder in FOLDERS
        for path in sorted((top / folder).rglob("*.py"))
        for line, complaint in offenders(path.read_text())
    ]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
