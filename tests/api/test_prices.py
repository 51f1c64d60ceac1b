"""Price look-up: what is in force now, until when, and unchanged where it is."""

from __future__ import annotations

from sqlalchemy import text

from tests.api.conftest import Market

KEEP = text("""
INSERT INTO prices (price_list, sku, currency, amount, compare_at, valid_from, valid_until, source)
VALUES (:list, :sku, :currency, :amount, :compare, now() - interval '1 day', now() + make_interval(secs => :left), 'feed')
""")


def put(list_: str, sku: str, currency: str, amount: str, compare: str | None = None, left: float = 86400) -> None:
    from app.database import transaction

    told = {"list": list_, "sku": sku, "currency": currency, "amount": amount, "compare": compare, "left": left}
    with transaction() as tx:
        tx.execute(KEEP, told)


def test_prices_of_many_skus(market: Market) -> None:
    put("", "WB-TEE", "EUR", "19.90", "24.90", left=20)
    put("", "WB-TEE", "USD", "21")
    put("b2b", "WB-TEE", "EUR", "12.50")
    answer = market.mine.ask("GET", "/prices?sku=WB-TEE&sku=NONE&sku=WB-TEE")
    euro, dollar = answer.json["prices"]
    assert (euro["amount"], euro["compare_at"], euro["currency"]) == ("19.9", "24.9", "EUR")
    assert euro["valid_until"]
    assert (dollar["amount"], dollar["compare_at"]) == ("21", None)
    assert answer.json["missing"] == ["NONE"]
    kept = int(answer.headers["Cache-Control"].split("max-age=")[1].split(",")[0])
    assert kept <= 20  # never longer than the price holds
    same = market.mine.ask("GET", "/prices?sku=WB-TEE&sku=NONE", If_None_Match=answer.headers["ETag"])
    assert same.status_code == 304
    business = market.mine.ask("GET", "/prices?sku=WB-TEE&list=b2b&currency=EUR").json["prices"]
    assert [one["amount"] for one in business] == ["12.5"]


def test_a_changed_price_is_another_answer(market: Market) -> None:
    from app.database import transaction

    put("", "WB-TEE", "EUR", "19.90")
    before = market.mine.ask("GET", "/prices?sku=WB-TEE").headers["ETag"]
    with transaction() as tx:
        tx.execute(text("UPDATE prices SET amount = 18.90"))
    after = market.mine.ask("GET", "/prices?sku=WB-TEE", If_None_Match=before)
    assert (after.status_code, after.json["prices"][0]["amount"]) == (200, "18.9")
    assert market.mine.ask("GET", "/prices").status_code == 422
    assert market.partner("none", "market", scopes=["orders:read"]).ask("GET", "/prices?sku=A").status_code == 403
