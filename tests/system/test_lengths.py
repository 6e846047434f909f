"""No file and no function is longer than the house allows."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = [
    file
    for folder in ("app", "bench", "clients", "consumers", "docs/site", "mock_gateway", "tests")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if not file.stem.endswith(("_pb2", "_pb2_grpc"))  # nobody wrote them
]
MOST_LINES_OF_A_FILE = 250
MOST_LINES_OF_A_FUNCTION = 40


def test_no_file_is_too_long() -> None:
    assert Path(__file__) in FILES
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text().splitlines()) for file in FILES}
    assert {file: lines for file, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_too_long() -> None:
    """From its `def` to its last line, whatever decorates it."""
    lengths = {
        f"{file.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {function: lines for function, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}
