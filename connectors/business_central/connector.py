"""Business Central as the hub's ERP: it keeps orders, shipments, invoices and credit memos, items and their quantities."""

from __future__ import annotations

from connectors.business_central.catalogue import Catalogue
from connectors.business_central.client import Client
from connectors.business_central.credits import Credits
from connectors.business_central.customers import Customers
from connectors.business_central.ledger import Listed
from connectors.business_central.mapping.policy import policy
from connectors.business_central.sales import Sales
from connectors.business_central.subscriptions import Subscriptions
from connectors.kit.account import Connection


class BusinessCentral(Credits, Listed, Catalogue, Subscriptions):
    """Plays OrderKeeper, ReturnKeeper, PaymentKeeper, Ledger, StockKeeper, CatalogueSource, Fetcher, Poller and Subscriber for one account."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = Client(connection)
        self.policy = policy(connection.account, connection.codes)
        self.customers = Customers(self.client, self.policy)
        self.sales = Sales(self.client, self.policy)


def connect(connection: Connection) -> BusinessCentral:
    """The account's connector, ready to act."""
    return BusinessCentral(connection)
