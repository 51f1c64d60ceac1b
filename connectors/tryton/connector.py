"""Tryton as the books of record for orders and stock."""

from __future__ import annotations

from connectors.kit.account import Connection
from connectors.tryton.books import Books
from connectors.tryton.catalogue import Catalogue
from connectors.tryton.client import Client
from connectors.tryton.credits import Credits
from connectors.tryton.customers import Customers
from connectors.tryton.goods import Goods
from connectors.tryton.ledger import Ledger
from connectors.tryton.places import Places
from connectors.tryton.purchases import Purchases
from connectors.tryton.returns import Returns
from connectors.tryton.sales import Sales
from connectors.tryton.shelf import Shelf


class Tryton(Books, Goods, Credits, Returns, Purchases, Ledger, Shelf, Catalogue):
    """Plays OrderKeeper, ReturnKeeper, PurchaseKeeper, PaymentKeeper, Ledger, StockKeeper and CatalogueSource."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = Client(connection)
        self.sales = Sales(self.client, connection)
        self.places = Places(self.client, connection)
        self.customers = Customers(self.client)


def connect(connection: Connection) -> Tryton:
    return Tryton(connection)
