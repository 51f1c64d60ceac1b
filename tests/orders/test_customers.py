"""Who buys: one customer from many first orders, guests, the rule of each account, duplicates and their merge (pain 12)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.customers.identity import normal
from tests.world import World

VARIANTS = ("ana@example.com", "ANA@example.com", " ana@Example.com ", "ana@example.com\t")


def policy(acme: World, rule: str, guests: str = "email") -> None:
    from config.reader import config

    (acme.folder / "customers.toml").write_text(
        f'[default]\nrule = "email"\n[accounts.shop]\nrule = "{rule}"\nguests = "{guests}"\n'
    )
    config.cache_clear()


def place(acme: World, many: int) -> None:
    """That many first orders at once, by guests, with one e-mail address in variants."""
    from tasks.receive import receive

    for n in range(many):
        acme.deliver("order.placed", acme.place(customer={"id": "", "email": VARIANTS[n % len(VARIANTS)]}))
    events = [row.id for row in acme.rows("SELECT id FROM events WHERE state = 'accepted'")]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(receive, events))
    assert acme.one("SELECT count(*) FROM customer_orders") == many


def test_twenty_concurrent_guest_orders_make_one_customer_by_email(acme: World) -> None:
    place(acme, 20)
    assert acme.one("SELECT count(*) FROM customers") == 1
    assert {row.rule for row in acme.rows("SELECT rule FROM customer_orders")} == {"email"}


def test_and_twenty_under_always_new(acme: World) -> None:
    policy(acme, "new")
    place(acme, 20)
    assert acme.one("SELECT count(*) FROM customers") == 20
    assert acme.one("SELECT count(*) FROM cases") == 0, "that is what the rule wants"


def test_two_numbers_with_one_address_are_a_case_and_a_merge_makes_them_one(acme: World) -> None:
    from app.customers import identity
    from app.database import transaction

    policy(acme, "external")
    for number in ("C-1", "C-2", "C-1"):
        acme.order(customer={"id": number, "email": "ana@example.com"})
    acme.pump()
    first, second = (row.id for row in acme.rows("SELECT id FROM customers ORDER BY id"))
    assert (
        acme.one("SELECT sentence FROM cases WHERE code = 'duplicate_customer'")
        == f"Customers {first} and {second} have the same e-mail address."
    )
    with transaction() as tx:
        assert identity.merge(tx, first, second, "anna", "one person")
        assert not identity.merge(tx, first, second, "anna", "one person")
    assert acme.one("SELECT status FROM cases WHERE code = 'duplicate_customer'") == "resolved"
    acme.order(customer={"id": "C-2", "email": "ana@example.com"})
    acme.pump()
    assert acme.one("SELECT count(DISTINCT customer_id) FROM customer_orders") == 1
    assert acme.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0
    assert acme.one("SELECT who || ': ' || reason FROM audit WHERE action = 'merge customers'") == "anna: one person"


def test_an_order_keeps_its_customer_whatever_it_says_later(acme: World) -> None:
    order = acme.order()
    acme.pump()
    changed = acme.ask(
        "shop",
        "POST",
        f"/_sim/orders/{order['id']}",
        json={"customer": {**order["customer"], "email": "other@example.com"}},
    )
    acme.deliver("order.changed", changed)
    acme.pump()
    assert acme.one("SELECT count(*) FROM customers") == 1


def test_case_and_spaces_of_an_address_do_not_count() -> None:
    assert {normal(one) for one in VARIANTS} == {"ana@example.com"}
    assert normal("\uff41na@example.com") == "ana@example.com"
