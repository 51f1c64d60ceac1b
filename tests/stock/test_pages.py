"""The stock pages and the keys page: what is seen, by whom, and what can be done there."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from tests.stock.conftest import Stock
from tests.stock.test_api import Partner, app  # noqa: F401 - a fixture

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Admin:
    """Somebody with a browser."""

    def __init__(self, app: Flask, stock: Stock, role: str) -> None:  # noqa: F811
        from app.web import people

        stock.do(people.keep, role, "a long password", role)
        self.client = app.test_client()
        self.client.post(
            "/admin/login", data={**self._form("/admin/login"), "login": role, "password": "a long password"}
        )

    def _form(self, path: str) -> dict[str, str]:
        return {"csrf_token": TOKEN.search(self.client.get(path).text)[1]}  # type: ignore[index]

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def press(self, path: str, **form: Any) -> Any:
        return self.client.post(path, data={**self._form("/admin/stock/"), "reason": "a test", **form})


def test_a_skus_page_says_who_claims_it_and_what_channels_were_told(app: Flask, stock: Stock) -> None:  # noqa: F811
    from app.stock import dirty

    stock.tell("TEE", 7)
    stock.reserve("res_1", "TEE", 2, holder="market")
    stock.do(dirty.told, "shop", dirty.Mark("TEE", 1, Decimal(7), None, known=True, free=Decimal(7)))
    viewer, operator = Admin(app, stock, "viewer"), Admin(app, stock, "operator")
    told = viewer.page("/admin/stock/sku/TEE")
    for words in ("5 free in all", "market", "res_1", "main", "shop"):
        assert words in told, words
    assert "TEE" in viewer.page("/admin/stock/?word=TE&location=main")
    assert "No SKU fits" in viewer.page("/admin/stock/?word=nothing")
    assert viewer.press("/admin/stock/publications", word="TEE").status_code == 403
    assert operator.press("/admin/stock/publications", word="TEE", location="main").status_code == 302
    assert stock.one("SELECT after->>'skus' FROM audit WHERE action = 'publish stock'") == "1"


def test_a_key_is_shown_once_replaced_and_revoked(app: Flask, stock: Stock) -> None:  # noqa: F811
    admin = Admin(app, stock, "admin")
    made = admin.press("/admin/keys/", name="market", scopes="availability:read", per_minute="60")
    token = re.search(r'id="token">(wb_[^<]+)<', made.text)[1]  # type: ignore[index]
    assert Partner(app, token).ask("GET", "/availability?sku=A").status_code == 200
    assert token not in admin.page("/admin/keys/")
    key = stock.one("SELECT id FROM api_keys")
    replaced = admin.press(f"/admin/keys/{key}/successors")
    assert re.search(r'id="token">(wb_[^<]+)<', replaced.text)
    assert admin.press(f"/admin/keys/{key}/revocations").status_code == 302
    assert Partner(app, token).ask("GET", "/availability?sku=A").status_code == 401
    actions = [row.action for row in stock.rows("SELECT action FROM audit WHERE object LIKE 'key:%' ORDER BY id")]
    assert actions == ["make API key", "replace API key", "revoke API key"]
    assert not stock.one("SELECT count(*) FROM audit WHERE after::text LIKE '%' || :token || '%'", token=token)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_keys_are_an_administrators_to_make(app: Flask, stock: Stock, role: str) -> None:  # noqa: F811
    assert Admin(app, stock, role).press("/admin/keys/", name="x", scopes="availability:read").status_code == 403
