"""Price look-up: what is in force now, until when, and unchanged where it is."""

from __future__ import annotations

from typing import Any

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
    assert sum(kept(answer)) <= 20  # never longer than the price holds
    same = market.mine.ask("GET", "/prices?sku=WB-TEE&sku=NONE", If_None_Match=answer.headers["ETag"])
    assert same.status_code == 304


def kept(answer: Any) -> tuple[int, int]:
    """Seconds that an answer may be kept, and beyond that while we do not answer."""
    words = dict(word.strip().partition("=")[::2] for word in answer.headers["Cache-Control"].split(","))
    return int(words["max-age"]), int(words["stale-if-error"])


def test_a_list_with_a_name_is_seen_by_whose_channel_is_told_of_it(market: Market) -> None:
    """What one trader pays is no other's to read: the routes of prices say whose list it is."""
    from config.reader import config

    put("", "WB-TEE", "EUR", "19.90")
    put("b2b", "WB-TEE", "EUR", "12.50")
    with (market.world.folder / "routes.toml").open("a") as file:
        file.write(
            '[[route]]\nname = "trade"\nkind = "price"\nwhen = { list = "b2b" }\nroles = { publish = ["market"] }\n'
        )
    config.cache_clear()
    mine = market.mine.ask("GET", "/prices?sku=WB-TEE&list=b2b&currency=EUR").json["prices"]
    assert [one["amount"] for one in mine] == ["12.5"]
    for other in (market.rival, market.partner("stock only", "")):
        refused = other.ask("GET", "/prices?sku=WB-TEE&list=b2b")
        assert (refused.status_code, refused.json["type"]) == (403, "urn:waybill:problem:price_list")
        assert "12.5" not in refused.text
        assert other.ask("GET", "/prices?sku=WB-TEE").json["prices"][0]["amount"] == "19.9"
    assert market.mine.ask("GET", "/prices?sku=WB-TEE&list=vip").status_code == 403


def test_an_answer_is_not_kept_past_the_instant_at_which_a_price_begins(market: Market) -> None:
    """A promotion that the file in force announces, and a price of what has none yet."""
    from app.database import transaction

    put("", "WB-TEE", "EUR", "19.90", left=86400)
    lines = "(1, {}, 'accepted', '{}', 'EUR', 9, now() + make_interval(secs => {}), NULL, '{}')"
    with transaction() as tx:
        tx.execute(text("INSERT INTO price_runs (account, file, content, state) VALUES ('feed', 'f', 'c', 'active')"))
        told = [
            lines.format(1, "WB-TEE", 30, "sale"),
            lines.format(2, "WB-CAP", 90, ""),
            lines.format(3, "WB-MUG", -9, ""),
        ]
        columns = "run_id, n, state, sku, currency, amount, valid_from, valid_until, promotion"
        tx.execute(text(f"INSERT INTO price_lines ({columns}) VALUES {', '.join(told)}"))
    for sku, most in (("WB-TEE", 30), ("WB-CAP", 90)):
        assert most - 15 <= sum(kept(market.mine.ask("GET", f"/prices?sku={sku}"))) <= most
    assert kept(market.mine.ask("GET", "/prices?sku=WB-MUG")) == (60, 300)


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
