"""An order's life in a real Tryton, counted by asking Tryton itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, Tender
from connectors.canonical.product import ProductKind
from connectors.canonical.returns import Return, ReturnLine, ReturnStatus
from connectors.canonical.shipment import ShipmentLine
from connectors.kit.errors import Missing, Rejected, Unauthorized
from connectors.tryton.lines import SERVICES
from local import tryton_setup
from local.tryton import TrytonServer
from local.tryton_setup import QUARANTINE, SCRAP
from tests.connectors.tryton.conftest import Counted
from tests.contract.bench import Bench
from tests.contract.driver import drive
from tests.contract.samples import another, eur, line, parcels, refund

pytestmark = pytest.mark.timeout(900)  # the first one prepares the database, for minutes on a busy machine


def book(bench: Bench, order: Order) -> str:
    return drive(bench.connector().book(order, key="k-book"), known=bench.known)


def test_an_edited_order_keeps_its_sale_and_gets_a_supplement(bench: Bench, counted: Counted) -> None:
    """Quantities are amended; Tryton adds no line to a sale in processing, so a new one is a second sale."""
    order = another()
    book(bench, order)
    one_less = replace(order.lines[0], current_quantity=Decimal(1))
    edited = replace(order, lines=(one_less, order.lines[1], line("extra", "WB-MUG", "Mug", 2, "8.50", "3.23")))
    for _ in range(2):
        drive(bench.connector().amend(edited, key="k-amend"), known=bench.known)
    found = counted(order)
    name = f"shop-{order.id}"
    assert found["sales_order"] == {name: 1}
    assert found["supplement"] == {f"{name}+k-amend": 1}
    # 19.90 - 2.50 + 8.50 + 2 x 8.50 + 4.90 shipping + tax 3.30 + 1.62 + 3.23 + 0.93
    assert found["total"] == {name: "56.88"}


def test_two_parcels_then_nothing_is_open_and_it_is_too_late_to_cancel(bench: Bench, counted: Counted) -> None:
    order = another()
    book(bench, order)
    first, rest = parcels(order)
    by_sku = replace(first, lines=tuple(ShipmentLine(one.quantity, one.sku) for one in first.lines))
    for shipment in (by_sku, rest, rest):
        drive(
            bench.connector().record_shipment(order, shipment, key=f"k-{shipment.id}"),
            find_first=True,
            known=bench.known,
        )
    assert [name for name in counted(order)["shipment"] if order.id in name] == [
        f"warehouse-{order.id}-f{n}" for n in (1, 2)
    ]
    with pytest.raises(Rejected, match="more of WB-TEE") as more:
        drive(bench.connector().record_shipment(order, replace(first, id="again"), key="k-more"), known=bench.known)
    assert more.value.code == "not_open"
    with pytest.raises(Rejected) as late:
        drive(bench.connector().cancel(order, key="k-cancel"), known=bench.known)
    assert late.value.code == "shipped"


def test_a_parcel_holds_lines_of_the_order_and_of_its_supplement(bench: Bench, counted: Counted) -> None:
    """In a warehouse with zones, where every move out has one that feeds it; half stays behind."""
    bench.account = replace(bench.account, settings={**bench.account.settings, "warehouse": "WH2"})
    order = another()
    book(bench, order)
    edited = replace(order, lines=(*order.lines, line("extra", "WB-MUG", "Mug", 4, "8.50", "6.46")))
    drive(bench.connector().amend(edited, key="k-amend"), known=bench.known)
    first, _ = parcels(order)
    one = ShipmentLine(Decimal(1), "WB-TEE", order.lines[0].id)
    for name, mugs in (("m1", 3), ("m2", 1)):
        parcel = replace(first, id=f"{order.id}-{name}", lines=(one, ShipmentLine(Decimal(mugs), "WB-MUG", "extra")))
        drive(bench.connector().record_shipment(edited, parcel, key=f"k-{name}"), known=bench.known)
    mug = replace(first, id=f"{order.id}-m3", lines=(ShipmentLine(Decimal(1), "WB-MUG"),))
    drive(bench.connector().record_shipment(edited, mug, key="k-m3"), known=bench.known)
    sent = {name: times for name, times in counted(order)["shipment"].items() if order.id in name}
    assert sent == {f"warehouse-{order.id}-m{n}": 1 for n in (1, 2, 3)}
    with pytest.raises(Rejected, match="more of WB-MUG"):
        drive(bench.connector().record_shipment(edited, replace(mug, id="more"), key="k-more"), known=bench.known)


def test_a_line_that_leaves_quarantine_in_parts_leaves_it_whole(bench: Bench, counted: Counted) -> None:
    """Looked at piece by piece, told of together: none of two that may be sold stays behind, however often it is told."""
    places = {"quarantine": QUARANTINE, "scrap": SCRAP}
    bench.account = replace(bench.account, settings={**bench.account.settings, **places})
    order = another()
    book(bench, order)
    for n, parcel in enumerate(parcels(order)):
        drive(bench.connector().record_shipment(order, parcel, key=f"k-s{n}"), known=bench.known)
    tee, two = order.lines[0], Decimal(2)
    came = ReturnLine(tee.id, two, "", tee.sku, two, "quarantined")
    back = Return(f"WB-{order.id}-R1", ReturnStatus.RECEIVED, (came,), location="main")
    drive(bench.connector().record_return(order, back, key="k-r"), known=bench.known)
    piece = replace(came, quantity=Decimal(1), received_quantity=Decimal(1), condition="sellable")
    for _ in range(2):
        parts = replace(back, lines=(piece, piece))
        drive(bench.connector().record_disposition(order, parts, key="k-d"), known=bench.known)
    moved = {name: pieces for name, pieces in counted(order)["moved"].items() if "/sellable " in name}
    assert [Decimal(pieces) for pieces in moved.values()] == [two]


def test_a_cancelled_order_is_worth_nothing_and_only_its_money_goes_back(bench: Bench, counted: Counted) -> None:
    order = another()
    book(bench, order)
    for _ in range(2):
        drive(bench.connector().cancel(order, key="k-cancel"), known=bench.known)
    given = refund(order)
    drive(bench.connector().record_refund(order, given, key="k-refund"), known=bench.known)
    found = counted(order)
    assert found["cancelled"] == {f"shop-{order.id}": 1}
    assert found["total"] == {f"shop-{order.id}": "0.00"}
    assert found["credit"] == {}
    assert list(found["refund"].values()) == ["10.12"]


def test_a_refund_to_two_tenders(bench: Bench, counted: Counted) -> None:
    """A gift card used is a tender: it gets back what it gave."""
    order = another()
    book(bench, order)
    tenders = ((Tender.GIFT_CARD, "4.00"), (Tender.CARD, "6.12"))
    payments = tuple(Payment(kind.value, PaymentKind.REFUND, kind, eur(sum_)) for kind, sum_ in tenders)
    given = replace(refund(order), payments=payments)
    for _ in range(2):
        drive(bench.connector().record_refund(order, given, key="k-refund"), find_first=True, known=bench.known)
    found = counted(order)
    name = f"shop-{order.id}/{given.id}"
    assert found["refund"] == {f"{name}/card": "6.12", f"{name}/gift_card": "4.00"}
    assert found["credit"] == {name: 1}
    assert found["total"] == {f"shop-{order.id}": "57.36"}


def test_what_waits_is_not_available_and_what_left_is_not_on_hand(bench: Bench) -> None:
    def mugs() -> tuple[Decimal | None, Decimal | None]:
        (level,) = [one for one in bench.connector().stock(("WB-MUG",)) if one.location == "main"]
        return level.available, level.on_hand

    order, (available, on_hand) = another(), mugs()
    assert available is not None
    assert on_hand is not None
    book(bench, order)
    assert mugs() == (available - 1, on_hand)
    drive(bench.connector().record_shipment(order, parcels(order)[1], key="k-ship"), known=bench.known)
    assert mugs() == (available - 1, on_hand - 1)


def test_two_workers_with_one_new_buyer_make_one_party(bench: Bench, counted: Counted) -> None:
    def placed(name: str) -> Order:
        order = another()
        buyer = replace(order.customer, email=f"{name}@example.com") if order.customer else None
        return replace(order, customer=buyer)

    name = another().id
    orders = [placed(name) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda order: drive(bench.connector().book(order, key="k-book")), orders))
    client = bench.connector().client
    mail = ["contact_mechanisms", "where", [["value", "=", f"{name}@example.com"]]]
    assert len(client.rows("party.party", [mail])) == 1
    assert all(counted(order)["sales_order"] == {f"shop-{order.id}": 1} for order in orders)


def test_what_tryton_refuses_is_said_in_words(bench: Bench) -> None:
    order = another()
    assert order.shipping is not None
    with pytest.raises(Rejected, match="no country XX"):
        book(bench, replace(order, shipping=replace(order.shipping, country="XX")))
    bench.codes = replace(bench.codes, table={**bench.codes.table, "sku": {"WB-TEE": "GONE", "WB-MUG": "WB-MUG"}})
    with pytest.raises(Missing, match="no product GONE"):
        book(bench, order)


def test_a_forgotten_session_is_renewed_and_a_wrong_password_is_not(bench: Bench) -> None:
    bench.tokens.values["session"] = ("1:forgotten:1", 1e12)
    assert list(bench.connector().stock(("WB-MUG",)))
    bench.tokens.values.clear()
    bench.account = replace(bench.account, credentials={**bench.account.credentials, "password": "wrong"})
    with pytest.raises(Unauthorized):
        list(bench.connector().stock())


def test_fifty_workers_meet_a_forgotten_session_and_one_logs_in(
    bench: Bench, shared_tokens: Callable[[str], Any]
) -> None:
    """Pain 40a, with tokens as the hub's workers share them."""
    bench.tokens = shared_tokens("erp")
    assert bench.tokens.get("session", lambda: ("1:forgotten:1", 3600.0)) == "1:forgotten:1"
    with ThreadPoolExecutor(50) as workers:
        assert all(workers.map(lambda _: list(bench.connector().stock(("WB-MUG",))), range(50)))
    assert [one.operation for one in bench.exchanges].count("common.db.login") == 1


# ---- what it sells


def test_products_and_prices_are_told_and_what_changed_is_told_again(bench: Bench, erp: TrytonServer) -> None:
    """A price is dated with its product, or with what that is a variant of."""
    bench.account = replace(bench.account, settings={**bench.account.settings, "page": 3})
    source = bench.connector()
    told = {one.sku: one for one in source.products()}
    assert {"WB-TEE", "WB-MUG", "WB-LAMP"} <= set(told)
    assert not set(told) & set(SERVICES), "what orders are booked with is nobody's article"
    assert (told["WB-MUG"].kind, told["WB-MUG"].active, told["WB-MUG"].tracked) == (ProductKind.GOODS, True, True)
    assert source.code_of(told["WB-MUG"]) == "WB-MUG"
    prices = {one.sku: one for one in source.prices(("WB-TEE", "WB-MUG"))}
    assert {sku: str(one.amount) for sku, one in prices.items()} == {"WB-TEE": "19.90 EUR", "WB-MUG": "12.50 EUR"}
    assert prices["WB-TEE"].taxes_included is False
    assert list(source.prices(())) == []
    rpc = erp.rpc()
    since = max(one.updated_at for one in told.values() if one.updated_at) + timedelta(milliseconds=1)
    assert list(source.products(since)) == []
    (mug,) = rpc.rows("product.product", [["code", "=", "WB-MUG"]], "template")
    (lamp,) = rpc.rows("product.product", [["code", "=", "WB-LAMP"]], "template")
    rpc.model("product.template", "write", [mug["template"]], {"list_price": Decimal("13.2500")})
    rpc.model("product.template", "write", [lamp["template"]], {"salable": False})
    try:
        changed = {one.sku: one.active for one in source.products(since)}
        assert changed == {"WB-MUG": True, "WB-LAMP": False}
        assert [str(one.amount) for one in source.prices(("WB-MUG",))] == ["13.25 EUR"]
    finally:
        rpc.model("product.template", "write", [mug["template"]], {"list_price": Decimal("12.50")})
        rpc.model("product.template", "write", [lamp["template"]], {"salable": True})


def test_an_article_that_is_given_up_is_told_as_such(bench: Bench, erp: TrytonServer) -> None:
    """One that never lay anywhere: Tryton asks back before it gives up one that has stock."""
    rpc, source = erp.rpc(), bench.connector()
    goods = rpc.ids("product.category", ["name", "=", "Goods"])[0]
    rpc.create("product.template", tryton_setup._product(rpc, "WB-SPARE", "A spare", "goods", goods, Decimal("5.0000")))
    (spare,) = rpc.rows("product.product", [["code", "=", "WB-SPARE"]], "template")
    assert next(one for one in source.products() if one.sku == "WB-SPARE").active
    rpc.model("product.product", "write", [spare["id"]], {"active": False})
    assert not next(one for one in source.products() if one.sku == "WB-SPARE").active


def test_the_services_that_orders_are_booked_with_are_those_that_are_set_up() -> None:
    assert set(tryton_setup.SERVICES) == SERVICES
