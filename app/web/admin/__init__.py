"""The admin: health, orders, what went wrong and by whom it is looked at, for people who are not programmers."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_admin import Admin  # type: ignore[import-untyped]
from flask_admin.theme import Theme  # type: ignore[import-untyped]
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from app.web.admin import (
    accounts,
    causes,
    codes,
    connectors,
    customers,
    door,
    events,
    feeds,
    fulfilments,
    gate,
    headers,
    holds,
    home,
    keys,
    many,
    orders,
    prices,
    proofs,
    records,
    returns,
    showing,
    sourcing,
    stock,
    users,
    webhooks,
    work,
)


def install(app: Flask) -> None:
    """Puts the admin under /admin."""
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, WTF_CSRF_TIME_LIMIT=12 * 3600)
    Bootstrap5(app)
    CSRFProtect(app)
    gate.install(app)
    door.install(app)
    headers.install(app)
    showing.install(app)
    shell = Admin(
        app, "Waybill", url="/admin", index_view=home.Home("Health", endpoint="admin", url="/admin"), theme=THEME
    )
    for view in VIEWS:
        shell.add_view(view())
    app.register_error_handler(CSRFError, _expired)
    for code in (400, 403, 404, 405, 429, 500):
        app.register_error_handler(code, _wrong)


THEME = Theme("ours", "base.html")  # our own templates on Bootstrap 5: Flask-Admin's are for 4 and need inline scripts
VIEWS = (
    lambda: orders.Orders("Orders", endpoint="orders", url="/admin/orders"),
    lambda: holds.Holds("Holds", endpoint="holds", url="/admin/holds"),
    lambda: fulfilments.Fulfilments("Fulfilments", endpoint="fulfilments", url="/admin/fulfilments"),
    lambda: returns.Returns("Returns", endpoint="returns", url="/admin/returns"),
    lambda: customers.Customers("Customers", endpoint="customers", url="/admin/customers"),
    lambda: causes.Causes("Trouble", endpoint="causes", url="/admin/cases"),
    lambda: stock.Stock("Stock", endpoint="stock", url="/admin/stock"),
    lambda: prices.Prices("Prices", endpoint="prices", url="/admin/prices"),
    lambda: feeds.Feeds("Feeds", endpoint="feeds", url="/admin/feeds"),
    lambda: codes.Codes("Mappings", endpoint="codes", url="/admin/codes"),
    lambda: sourcing.Sourcing("Sourcing", endpoint="sourcing", url="/admin/sourcing"),
    lambda: accounts.Accounts("Accounts", endpoint="accounts", url="/admin/accounts"),
    lambda: connectors.Connectors("Connectors", endpoint="connectors", url="/admin/connectors"),
    lambda: events.Events("Deliveries", endpoint="events", url="/admin/events"),
    lambda: work.Steps("Steps", endpoint="steps", url="/admin/steps"),
    lambda: work.Attempts("Attempts", endpoint="attempts", url="/admin/attempts"),
    lambda: many.Many("Many at once", endpoint="bulk", url="/admin/bulk"),
    lambda: proofs.Proofs("Proof", endpoint="proofs", url="/admin/proof"),
    lambda: records.Audit("Audit", endpoint="audit", url="/admin/audit"),
    lambda: users.Users("People", endpoint="users", url="/admin/users"),
    lambda: webhooks.Webhooks("Webhooks", endpoint="webhooks", url="/admin/webhooks"),
    lambda: keys.Keys("API keys", endpoint="keys", url="/admin/keys"),
)

SENTENCES = {
    400: ("That request could not be understood", "Go back and try again."),
    403: ("Your role does not include this", "Ask an administrator if you need it."),
    404: ("There is nothing here", "It may have been named differently: search for any number you have."),
    405: ("That is not done this way", "Go back and use the button."),
    429: ("Too many tries", "Wait a minute, then try again."),
    500: ("The hub met an error of its own", "It was written to the log; nothing that was accepted is lost."),
}


def _wrong(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if not request.path.startswith("/admin"):
        return {"error": SENTENCES[code][0]}, code
    return render_template("wrong.html", code=code, sentence=SENTENCES[code][0], remedy=SENTENCES[code][1]), code


def _expired(error: CSRFError) -> ResponseReturnValue:
    sentence = "This form is too old or did not come from here"
    return render_template(
        "wrong.html", code=400, sentence=sentence, remedy="Go back, reload the page and press again."
    ), 400
