"""The pages of a simulated company: which address takes what, and what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request

from connectors.business_central.simulator_access import Access, Gate
from connectors.business_central.simulator_books import Books
from connectors.business_central.simulator_hooks import Hooks
from connectors.business_central.simulator_posting import post_memo, ship_and_invoice
from connectors.business_central.simulator_query import listed, told_record
from connectors.business_central.simulator_refusals import Refused
from connectors.kit.simulator import Simulator


@dataclass(frozen=True)
class Asked:
    """One request below the company, whether it came by itself or in a $batch."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    etag: str = ""
    size: int = 20_000


@dataclass
class Company:
    """The simulated company and its environment."""

    simulator: Simulator
    access: Access
    gate: Gate
    books: Books
    hooks: Hooks
    company: str
    environment: str
    latency: float
    retry_after: int
    stock_page: str = ""

    @property
    def root(self) -> str:
        """The company's address as the caller sees it."""
        base = request.url_root.rstrip("/")
        return f"{base}/v2.0/{self.access.tenant}/{self.environment}/api/v2.0/companies({self.company})"


Handle = Callable[[Company, Asked, tuple[str, ...]], tuple[int, Any]]


def _list(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        within = parts[0].lower() if parts else ""
        return 200, listed(company.books, table, asked.query, company.root, asked.path, asked.size, within)

    return act


def _get(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        found = company.books.get(table, parts[0])
        return 200, told_record(table, found, asked.query.get("$expand", ""))

    return act


def _create(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        made = company.books.customer(asked.body) if table == "customers" else company.books.create(table, asked.body)
        return 201, told_record(table, made)

    return act


def _change(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 200, told_record(table, company.books.change(table, parts[0], asked.body, asked.etag))

    return act


def _delete(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        company.books.delete(table, parts[0], asked.etag)
        return 204, None

    return act


def _line(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 201, _shown_line(company, table, company.books.line(table, parts[0], asked.body))

    return act


def _change_line(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 200, _shown_line(company, table, company.books.change_line(table, parts[0], asked.body, asked.etag))

    return act


def _delete_line(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        company.books.delete_line(table, parts[0], asked.etag)
        return 204, None

    return act


def _shown_line(company: Company, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    owner = company.books.owner(table, row["id"])
    name = "salesOrderLines" if table == "salesOrders" else "salesCreditMemoLines"
    lines: list[dict[str, Any]] = told_record(table, owner, name)[name]
    return next(one for one in lines if one["id"] == row["id"])


def _journal(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 201, told_record(table, company.books.journal(table, parts[0], asked.body))

    return act


def _post(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
    post_memo(company.books, parts[0])
    return 204, None


def _ship(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
    ship_and_invoice(company.books, parts[0])
    return 204, None


KEY = r"\(([^()]+)\)"
# method, address below the company -> what does it
ROUTES: tuple[tuple[str, str, Handle], ...] = (
    ("GET", "customers", _list("customers")),
    ("POST", "customers", _create("customers")),
    ("GET", f"customers{KEY}", _get("customers")),
    ("GET", "salesOrders", _list("salesOrders")),
    ("POST", "salesOrders", _create("salesOrders")),
    ("GET", f"salesOrders{KEY}", _get("salesOrders")),
    ("PATCH", f"salesOrders{KEY}", _change("salesOrders")),
    ("DELETE", f"salesOrders{KEY}", _delete("salesOrders")),
    ("POST", f"salesOrders{KEY}/salesOrderLines", _line("salesOrders")),
    ("POST", f"salesOrders{KEY}/Microsoft.NAV.shipAndInvoice", _ship),
    ("PATCH", f"salesOrderLines{KEY}", _change_line("salesOrders")),
    ("DELETE", f"salesOrderLines{KEY}", _delete_line("salesOrders")),
    ("GET", "salesShipments", _list("salesShipments")),
    ("GET", "salesInvoices", _list("salesInvoices")),
    ("GET", f"salesInvoices{KEY}", _get("salesInvoices")),
    ("GET", "salesCreditMemos", _list("salesCreditMemos")),
    ("POST", "salesCreditMemos", _create("salesCreditMemos")),
    ("GET", f"salesCreditMemos{KEY}", _get("salesCreditMemos")),
    ("DELETE", f"salesCreditMemos{KEY}", _delete("salesCreditMemos")),
    ("POST", f"salesCreditMemos{KEY}/salesCreditMemoLines", _line("salesCreditMemos")),
    ("POST", f"salesCreditMemos{KEY}/Microsoft.NAV.post", _post),
    ("GET", f"journals{KEY}/journalLines", _list("journalLines")),
    ("POST", f"journals{KEY}/journalLines", _journal("journalLines")),
    ("GET", f"customerPaymentJournals{KEY}/customerPayments", _list("customerPayments")),
    ("POST", f"customerPaymentJournals{KEY}/customerPayments", _journal("customerPayments")),
    ("GET", "items", _list("items")),
    ("GET", f"items{KEY}", _get("items")),
)
COMPILED = tuple((method, re.compile(rule), handle) for method, rule, handle in ROUTES)


def dispatch(company: Company, asked: Asked) -> tuple[int, Any]:
    """One request, whole or not at all. Raises Refused."""
    there = [(method, rule.fullmatch(asked.path), handle) for method, rule, handle in COMPILED]
    found = [(method, match, handle) for method, match, handle in there if match is not None]
    if not found:
        words = f"Resource not found for the segment '{asked.path.split('(')[0]}'."
        raise Refused(words, "BadRequest_ResourceNotFound", 404)
    for method, match, handle in found:
        if method == asked.method:
            with company.books.transaction():
                return handle(company, asked, match.groups())
    words = f"'{asked.method}' requests for '{asked.path}' of EdmType 'Entity' are not allowed within Microsoft Dynamics NAV OData web services."
    raise Refused(words, "BadRequest_MethodNotAllowed", 405)
