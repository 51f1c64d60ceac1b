"""A company that can sell: what a clerk would set up in an empty Tryton before the first order is booked."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from local.tryton_rpc import Rpc

COMPANY_CURRENCY = "EUR"
# Units of one euro. The books need some rate for an order in another currency; these are round figures, no quotation.
RATES = {
    "EUR": "1", "USD": "1.10", "GBP": "0.85", "CAD": "1.50", "AUD": "1.65", "NZD": "1.80", "CHF": "0.95",
    "SEK": "11.2", "NOK": "11.6", "DKK": "7.46", "PLN": "4.30", "CZK": "25", "JPY": "160", "KWD": "0.34",
    "INR": "92", "BRL": "5.5", "MXN": "19", "SGD": "1.45", "HKD": "8.6", "CNY": "7.8",
}  # fmt: skip
DIGITS = {"JPY": 0, "KWD": 3}
COUNTRIES = {
    "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland",
    "CN": "China", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "ES": "Spain", "FI": "Finland", "FR": "France",
    "GB": "United Kingdom", "GR": "Greece", "HK": "Hong Kong", "IE": "Ireland", "IN": "India", "IT": "Italy",
    "JP": "Japan", "KW": "Kuwait", "LU": "Luxembourg", "MX": "Mexico", "NL": "Netherlands", "NO": "Norway",
    "NZ": "New Zealand", "PL": "Poland", "PT": "Portugal", "SE": "Sweden", "SG": "Singapore", "US": "United States",
}  # fmt: skip
# What is booked beside goods: code -> (name, its account in the universal chart: of revenue, Tryton takes no other).
SERVICES = {
    "SHIPPING": ("Shipping", "4.1.2"),
    "DISCOUNT": ("Discount", "4.3.1"),
    "TAX": ("Tax as the channel computed it", "4.3.3"),
    "TAX-REMITTED": ("Tax that the marketplace remits", "4.3.3"),
    "TAX-INCLUDED": ("Tax contained in the prices", "4.3.3"),
    "FEE": ("Fee", "4.1.2"),
    "TIP": ("Tip", "4.1.2"),
    "DUTY": ("Duty", "4.1.2"),
    "GIFT-CARD": ("Gift card sold", "4.1.2"),
    "ROUNDING": ("Rounding", "4.3.3"),
    "BUNDLE": ("Price of a bundle, its parts being lines of their own", "4.1.1"),
    "REFUND": ("Refund without goods", "4.3.2"),
}
TENDERS = ("card", "gift_card", "store_credit", "cash", "wallet", "invoice", "marketplace", "other")
GOODS = {
    "WB-TEE": "19.90", "WB-TEE-S": "19.90", "WB-TEE-M": "19.90", "WB-MUG": "12.50", "WB-CAP": "24.00",
    "WB-BAG": "49.95", "WB-SOCK": "7.95", "WB-LAMP": "89.00", "WB-BOOK": "15.00",
}  # fmt: skip
STOCK = 100_000
SUPPLIERS = {"V-MAKER": "Maker of the demonstration"}
QUARANTINE, SCRAP = "QUAR", "LOST"  # codes of the places of what came back and is not for sale


def set_up(rpc: Rpc, today: dt.date) -> None:
    """Everything from the currency to the stock on the shelf."""
    currencies = _currencies(rpc)
    rpc.create("country.country", *({"code": code, "name": name} for code, name in COUNTRIES.items()))
    company = _company(rpc, currencies[COMPANY_CURRENCY])
    _chart(rpc, company)
    _fiscal_year(rpc, company, today)
    rpc.create("account.invoice.payment_term", {"name": "At once", "lines": [["create", [{"type": "remainder"}]]]})
    _services(rpc)
    _journals(rpc, currencies)
    _locations(rpc)
    _suppliers(rpc)
    add_goods(rpc, GOODS)


def add_goods(rpc: Rpc, prices: dict[str, str]) -> None:
    """Goods under these codes, with stock in every warehouse; codes that are there already stay as they are."""
    known = {row["code"] for row in rpc.rows("product.product", [["code", "in", list(prices)]], "code")}
    new = {code: Decimal(price) for code, price in prices.items() if code not in known}
    if not new:
        return
    category = rpc.ids("product.category", ["name", "=", "Goods"])[0]
    rpc.create(
        "product.template", *(_product(rpc, code, code, "goods", category, price) for code, price in new.items())
    )
    _stock(rpc, new)


def _currencies(rpc: Rpc) -> dict[str, int]:
    codes = list(RATES)
    made = rpc.create(
        "currency.currency",
        *(
            {
                "code": code,
                "name": code,
                "symbol": code,
                "digits": DIGITS.get(code, 2),
                "rounding": Decimal(1).scaleb(-DIGITS.get(code, 2)),
            }
            for code in codes
        ),
    )
    known = dict(zip(codes, made, strict=True))
    start = dt.date(2000, 1, 1)
    rpc.create(
        "currency.currency.rate",
        *({"currency": known[code], "date": start, "rate": Decimal(RATES[code])} for code in codes),
    )
    return known


def _company(rpc: Rpc, currency: int) -> int:
    (party,) = rpc.create("party.party", {"name": "Waybill Demonstration"})
    (company,) = rpc.create("company.company", {"party": party, "currency": currency, "timezone": "UTC"})
    rpc.model("res.user", "write", [rpc.user_id], {"companies": [["add", [company]]], "company": company})
    rpc.refresh()
    return company


def _chart(rpc: Rpc, company: int) -> None:
    template = rpc.record_id("account", "account_template_root_en")
    wizard = "account.create_chart"
    rpc.wizard(
        wizard, ("account", {}), ("create_account", {"account": {"account_template": template, "company": company}})
    )
    rpc.model(
        "account.configuration",
        "write",
        [1],
        {
            "default_account_receivable": _account(rpc, "1.2.1"),
            "default_account_payable": _account(rpc, "2.1.1"),
            "default_category_account_revenue": _account(rpc, "4.1.1"),
            "default_category_account_expense": _account(rpc, "5.2.1"),
        },
    )


def _account(rpc: Rpc, code: str) -> int:
    return rpc.ids("account.account", ["code", "=", code])[0]


def _fiscal_year(rpc: Rpc, company: int, today: dt.date) -> None:
    """One long year around today: orders of last year and a copy of this database next year still find a period."""
    moves, invoices = (
        _sequence(rpc, company, name) for name in ("sequence_type_account_move", "sequence_type_account_invoice")
    )
    kinds = ("out_invoice_sequence", "in_invoice_sequence", "out_credit_note_sequence", "in_credit_note_sequence")
    (year,) = rpc.create(
        "account.fiscalyear",
        {
            "name": "Demonstration",
            "company": company,
            "start_date": dt.date(today.year - 1, 1, 1),
            "end_date": dt.date(today.year + 2, 12, 31),
            "move_sequence": moves,
            "invoice_sequences": [["create", [{"company": company, **dict.fromkeys(kinds, invoices)}]]],
        },
    )
    rpc.model("account.fiscalyear", "create_period", [year])


def _sequence(rpc: Rpc, company: int, kind: str) -> int:
    module = "account" if kind.endswith("_move") else "account_invoice"
    (made,) = rpc.create(
        "ir.sequence.strict", {"name": kind, "company": company, "sequence_type": rpc.record_id(module, kind)}
    )
    return made


def _services(rpc: Rpc) -> None:
    expense = _account(rpc, "5.2.1")
    accounts = {"Goods": "4.1.1", **dict(SERVICES.values())}
    made = rpc.create(
        "product.category",
        *(
            {"name": name, "accounting": True, "account_revenue": _account(rpc, account), "account_expense": expense}
            for name, account in accounts.items()
        ),
    )
    category = dict(zip(accounts, made, strict=True))
    rpc.create(
        "product.template",
        *(_product(rpc, code, name, "service", category[name], Decimal(0)) for code, (name, _) in SERVICES.items()),
    )


def _product(rpc: Rpc, code: str, name: str, kind: str, category: int, price: Decimal) -> dict[str, Any]:
    unit = rpc.record_id("product", "uom_unit")
    return {
        "name": name,
        "type": kind,
        "default_uom": unit,
        "sale_uom": unit,
        "salable": True,
        **({"purchasable": True, "purchase_uom": unit} if kind == "goods" else {}),
        "account_category": category,
        "list_price": price,
        "products": [["create", [{"suffix_code": code}]]],
    }


def _journals(rpc: Rpc, currencies: dict[str, int]) -> None:
    """One for each tender and currency: a payment has the currency of its journal."""
    company = rpc.context["company"]
    rpc.create(
        "account.payment.journal",
        *(
            {"name": tender, "currency": currency, "company": company, "process_method": "manual"}
            for tender in TENDERS
            for currency in currencies.values()
        ),
    )


def _locations(rpc: Rpc) -> None:
    """Two warehouses. WH, which comes with the stock module, is one room; WH2 has zones: goods are picked, then sent."""
    lost = rpc.ids("stock.location", ["type", "=", "lost_found"])[0]
    rpc.model("stock.location", "write", [lost], {"code": SCRAP})
    rpc.create("stock.location", {"name": "Quarantine", "code": QUARANTINE, "type": "storage"})
    (first,) = rpc.rows("stock.location", [["code", "=", "WH"]], "storage_location")
    room = first["storage_location"]
    rpc.model("stock.location", "write", [first["id"]], {"input_location": room, "output_location": room})
    made = rpc.create(
        "stock.location",
        *(
            {"name": f"Second {kind}", "code": code, "type": "storage"}
            for kind, code in (("input", "IN2"), ("output", "OUT2"), ("storage", "STO2"))
        ),
    )
    inlet, outlet, storage = made
    values = {"name": "Second warehouse", "code": "WH2", "type": "warehouse"}
    rpc.create(
        "stock.location",
        {
            **values,
            "input_location": inlet,
            "output_location": outlet,
            "storage_location": storage,
            "lost_found_location": lost,
        },
    )


def _suppliers(rpc: Rpc) -> None:
    """Of whom goods can be bought, by the code that the cross references name."""
    address = [["create", [{"street": "Werkstrasse 1", "city": "Jena", "postal_code": "07743"}]]]
    rpc.create("party.party", *({"code": code, "name": name, "addresses": address} for code, name in SUPPLIERS.items()))


def _stock(rpc: Rpc, codes: Iterable[str]) -> None:
    products = rpc.ids("product.product", ["code", "in", list(codes)])
    for warehouse in rpc.rows("stock.location", [["type", "=", "warehouse"]], "storage_location"):
        lines = [{"product": product, "quantity": STOCK} for product in products]
        (inventory,) = rpc.create(
            "stock.inventory", {"location": warehouse["storage_location"], "lines": [["create", lines]]}
        )
        rpc.model("stock.inventory", "confirm", [inventory])
