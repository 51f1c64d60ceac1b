"""A Square order, fetched with its payments, refunds, returns, customer and articles, becomes an order of ours whose parts make its total."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Charge, ChargeKind, Line, Order, ShippingLine, Source, Tax
from connectors.canonical.returns import Refund
from connectors.kit.account import Account
from connectors.kit.place import Place
from connectors.square.mapping.fulfilments import KINDS, Ways, given_up, shipments, ways
from connectors.square.mapping.header import attributes, cancel_reason, cancelled, hold, payment_status
from connectors.square.mapping.lines import line, line_charges
from connectors.square.mapping.money_back import Money, exchange_credit
from connectors.square.mapping.parties import billing, customer
from connectors.square.mapping.payments import payments, tender_id
from connectors.square.mapping.refunds import pieces_back, plain, returned
from connectors.square.mapping.sums import rest_of_discounts, rest_of_tax, rounding, total_of, totals
from connectors.square.mapping.taxes import Frame, frame, taxed
from connectors.square.mapping.values import Sums, currency_of

OURS_TO_SEND = (
    "SHIPMENT",
    "DELIVERY",
)  # a pickup is handed over by the store's staff, unless the account says otherwise
SPREAD = ("APPORTIONED_TREATMENT", "APPORTIONED_PERCENTAGE_PHASE", "APPORTIONED_AMOUNT_PHASE")


def by_id(rows: Sequence[Place]) -> dict[str, Place]:
    return {row.at("id").text(): row for row in rows}


def money_of(body: Place) -> Money:
    """What was fetched beside the order."""
    return Money(body.at("refunds").items(), by_id(body.at("payments").items()), by_id(body.at("variations").items()))


def order(body: Place, account: Account) -> Order:
    """`body` is what connectors/square/source.py fetches. Raises Unreadable naming the field."""
    node = body.at("order")
    sums = Sums(currency_of(node.at("total_money").needed()))
    money = money_of(body)
    told = frame(node, sums, money.variations)
    road = ways(node)
    lines, charges, freight = _lines(body, told, account, road), *_charges(node, told, account)
    refunds = _refunds(body, money, sums)
    paid = payments(node, money.payments, sums)
    credit = exchange_credit(node, money.refunds, sums)
    paid = (*paid, credit) if credit else paid
    off = rest_of_discounts(node, lines, sums)
    whole = (*charges, *rest_of_tax(node, lines, charges, freight, told))
    total = total_of(node, lines, whole, freight, off, told)
    ship = next((one.address for one in road.deliveries if one.kind is not DeliveryKind.PICKUP and one.address), None)
    created = node.at("created_at").instant()
    return Order(
        id=node.at("id").needed().id(),
        number=node.at("ticket_name").text() or node.at("id").text(),
        placed_at=created,
        updated_at=node.at("updated_at").time() or created,
        currency=sums.currency,
        lines=lines,
        totals=totals(node, lines, whole, freight, total, sums),
        taxes_included=told.included,
        source=Source.WEB if road.deliveries else Source.POS,
        location=node.at("location_id").text(),
        external_reference=node.at("reference_id").text(),
        customer=customer(body, road),
        billing=billing(money, ship),
        shipping=ship,
        shipping_lines=freight,
        charges=whole,
        discounts=off,
        rounding=rounding(node, sums),
        payments=paid,
        shipments=shipments(node, {one.id: one.sku for one in lines}),
        refunds=refunds,
        payment_status=payment_status(paid),
        fulfilment_status=next((one.at("state").text() for one in node.at("fulfillments").items()), ""),
        cancelled_at=cancelled(node),
        cancel_reason=cancel_reason(node),
        deliver_by=next((one.deliver_by for one in road.deliveries if one.deliver_by), None),
        ship_by=next((one.ship_by for one in road.deliveries if one.ship_by), None),
        note=next((one.instructions for one in road.deliveries if one.instructions), ""),
        attributes=attributes(node, money),
        status=node.at("state").text(),
        hold=hold(node, sums, account),
        deliveries=road.deliveries,
        salesperson=next(
            (one.at("team_member_id").text() for one in money.payments.values() if one.at("team_member_id").text()), ""
        ),
        closed_at=node.at("closed_at").time(),
    )


# ---- parts


def _lines(body: Place, told: Frame, account: Account, road: Ways) -> tuple[Line, ...]:
    node = body.at("order")
    back = pieces_back(body.at("returns").items(), node.at("id").text())
    made, gone = [], given_up(node)
    seen_to = {KINDS[str(one).lower()] for one in account.settings.get("ways", OURS_TO_SEND)}
    for item in node.at("line_items").items():
        name = item.at("uid").text()
        back[name] = item.at("quantity").needed().number() if name in gone else back.get(name, Decimal(0))
        leaves = road.kind(name) in seen_to
        made.append(line(item, told, account, back, road.by_line.get(name, ""), leaves))
    return tuple(made)


def _charges(node: Place, told: Frame, account: Account) -> tuple[tuple[Charge, ...], tuple[ShippingLine, ...]]:
    """Service charges, shares of spread ones, the tip. A charge by a name that the account says is freight is a shipping line."""
    named = {str(one).lower() for one in account.settings.get("shipping_charges", ())}
    charges, freight = [], []
    for row in node.at("service_charges").items():
        if row.at("treatment_type").text() in SPREAD or row.at("calculation_phase").text() in SPREAD:
            continue
        if row.at("name").text().lower() in named:
            freight.append(_freight(row, told))
        else:
            charges.append(_charge(row, told))
    for item in node.at("line_items").items():
        charges += line_charges(item, told)
    tip = told.sums.minor(node.at("total_tip_money"))
    charges += [Charge(ChargeKind.TIP, "Tip", told.sums.bag(tip))] if tip else []
    return tuple(charges), tuple(freight)


def _charged(row: Place, told: Frame) -> tuple[int, tuple[Tax, ...]]:
    taxes = taxed(row, told)
    name = "applied_money" if row.at("applied_money").value else "amount_money"
    return told.sums.minor(row.at(name)) - (taxes.inside if told.mixed else 0), taxes.taxes


def _charge(row: Place, told: Frame) -> Charge:
    minor, taxes = _charged(row, told)
    code = row.at("type").text().lower() or row.at("catalog_object_id").text()
    title = row.at("name").text() or "Service charge"
    return Charge(ChargeKind.FEE, title, told.sums.bag(minor), taxes, id=row.at("uid").text(), code=code)


def _freight(row: Place, told: Frame) -> ShippingLine:
    minor, taxes = _charged(row, told)
    return ShippingLine(row.at("uid").needed().id(), row.at("name").text(), told.sums.bag(minor), taxes=taxes)


# ---- money that went back


def _refunds(body: Place, money: Money, sums: Sums) -> tuple[Refund, ...]:
    """Of this order's payments: with goods where a return order tells them, else money alone."""
    node = body.at("order")
    name, found, told = node.at("id").text(), [], set[str]()
    for each in by_id(body.at("returns").items()).values():
        entries = each.at("returns").items()
        for one in (entry for entry in entries if entry.at("source_order_id").text() == name):
            found.append(returned(one, each, money, sums, len(entries) == 1))
            told |= {payment.id for payment in found[-1].payments}
    own = [one for one in money.refunds if one.at("payment_id").text() in _tendered(node)]
    return (*found, *(plain(one, money, sums) for one in own if one.at("id").text() not in told))


def _tendered(node: Place) -> set[str]:
    return {tender_id(one) for one in node.at("tenders").items()}
