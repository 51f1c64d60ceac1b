"""No float stands anywhere where money is read, reckoned or written (pain 34): a static check of the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.servers import CHECKOUT

MONEY_PATHS = (
    "connectors/canonical/**/*.py",
    "connectors/*/mapping*.py",
    "connectors/*/mapping/**/*.py",
    "connectors/*/schemas.py",
    "app/orders/**/*.py",
    "app/stock/**/*.py",
    "app/finance/**/*.py",
)
FILES = sorted({file for pattern in MONEY_PATHS for file in CHECKOUT.glob(pattern)})
# what a JSON reader must be told, so that 0.1 is read as Decimal("0.1"); orjson cannot be told
EXACT = {"json": ("parse_float", "Decimal"), "simplejson": ("use_decimal", "True")}


def faults(source: str) -> Iterator[str]:
    """Every place where a float is named, written or read."""
    tree = ast.parse(source)
    refusing = {id(name) for call in ast.walk(tree) if isinstance(call, ast.Call) for name in refused(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "float" and id(node) not in refusing:
            yield f"{node.lineno}: float"
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno}: {node.value}"
        elif isinstance(node, ast.Attribute) and node.attr in ("Float", "float64", "json"):
            yield f"{node.lineno}: .{node.attr}"
        elif isinstance(node, ast.Call) and inexact(node):
            yield f"{node.lineno}: reads JSON numbers as floats"
        elif isinstance(node, ast.ImportFrom) and node.module in (*EXACT, "orjson"):
            yield f"{node.lineno}: from {node.module} import hides the reader's name"


def refused(call: ast.Call) -> Iterator[ast.AST]:
    """A float may be named in order to refuse it: isinstance(value, float)."""
    if isinstance(call.func, ast.Name) and call.func.id == "isinstance":
        yield from ast.walk(call.args[1])


def inexact(call: ast.Call) -> bool:
    reader = call.func
    if not (
        isinstance(reader, ast.Attribute) and reader.attr in ("load", "loads") and isinstance(reader.value, ast.Name)
    ):
        return False
    told = {(word.arg, ast.unparse(word.value)) for word in call.keywords}
    module = reader.value.id
    return module == "orjson" or (module in EXACT and EXACT[module] not in told)


def test_there_is_something_to_look_at() -> None:
    looked_at = {file.relative_to(CHECKOUT).as_posix() for file in FILES}
    assert {
        "connectors/canonical/money.py",
        "app/orders/merge.py",
        "connectors/shopify/mapping/payments.py",
    } <= looked_at


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(CHECKOUT).as_posix())
def test_no_float_is_in_a_money_path(file: Path) -> None:
    assert not list(faults(file.read_text()))


@pytest.mark.parametrize(
    "source",
    [
        "float(text)",
        "price = 0.19",
        "def total(amount: float) -> None: ...",
        "list(map(float, row))",
        "json.loads(body)",
        "json.loads(body, parse_float=float)",
        "simplejson.loads(body)",
        "simplejson.load(file, use_decimal=False)",
        "orjson.loads(body)",
        "from json import loads",
        "answer.json()",
        "fields.Float()",
    ],
)
def test_the_check_sees(source: str) -> None:
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "json.loads(body, parse_float=Decimal)",
        "simplejson.loads(body, use_decimal=True)",
        "orjson.dumps(body)",
        "rate = Decimal('0.19')",
        "isinstance(value, (float, bool))",
    ],
)
def test_the_check_lets_pass(source: str) -> None:
    assert not list(faults(source))
