"""What the demonstration's shop sells, and under which names the other systems know it."""

from dataclasses import dataclass

STOCK = 5000  # pieces of each SKU in the warehouse at the beginning


@dataclass(frozen=True)
class Article:
    """`erp` is NetSuite's internal id of the item; empty for what nobody has mapped yet."""

    sku: str
    erp: str
    ships: bool = True


ARTICLES = (
    Article("WB-TEE", "101"),
    Article("WB-MUG", "102"),
    Article("WB-CAP", "103"),
    Article("WB-BAG", "104"),
    Article("WB-POSTER", "105"),
    Article("WB-SOAP", "106"),
    Article("WB-GIFT-50", "107", ships=False),
)
# What the marketplace sells (local/story/life): from the warehouse, the last pieces of it in a minute, from a store's shelf, from a supplier.
RUG, RUSH, VASE, CHAIR = (
    Article("WB-RUG", "108"),
    Article("WB-RUSH", "109"),
    Article("WB-VASE", "110"),
    Article("WB-CHAIR", "111"),
)
LIFE = (RUG, RUSH, VASE, CHAIR)
RUSH_STOCK = 40  # pieces of what everybody wants at once
VASES = 30  # pieces on the store's shelf
COUNTED = ("WB-LAMP", "WB-BOOK")  # nobody orders these: what the shop offers of them is what the warehouse counted
SHELVED = (*(article.sku for article in (*ARTICLES, *LIFE) if article.ships), *COUNTED)  # what lies in the warehouse
SHIPS_FROM = 70001  # the shop's location for which the warehouse counts
PRICED = {"WB-LAMP": "89.00", "WB-BOOK": "15.00"}  # what the ERP says that these cost, and of no other
BOOKS = (Article("WB-LAMP", "301"), Article("WB-BOOK", "302"))  # as the ERP knows what is priced there
NEW = Article("WB-NEW", "201")  # entered in the ERP in the middle of the story
FORGOTTEN = Article("WB-FORGOTTEN", "")  # never mapped: its orders stay parked, with a case
REFUSED_BUYER = "credit-hold@example.com"  # the ERP refuses this customer

# What orders were paid by, channel by channel. A new one comes to the end: NetSuite knows them by number.
METHODS = (
    *("shopify_payments", "gift_card", "cash", "manual", "bank deposit"),
    *("braintree", "giftcertificate", "storecredit"),
    *("CREDIT_CARD", "PayPal", "GIFT_CERTIFICATE"),
    *("card", "square_gift_card", "external:other_gift_card"),
    "amazon",
)
# Where something is sold on the spot, or sent from by others than the warehouse: the marketplace's store and supplier.
SHOP_PLACES = ("gid://shopify/Location/70001", "70001", "LOC1", "LOC2", "store-koeln", "main")

# The ERP's own words for the rest, by account and kind: (ours, theirs).
ERP_CODES: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "netsuite-main": {
        "location": (("11", "1"), ("12", "2"), *((place, "3") for place in SHOP_PLACES)),
        "payment_method": tuple((name, str(n)) for n, name in enumerate(METHODS, 1)),
        "carrier": (("UPS", "4"),),
    },
    "tryton-main": {
        "location": (("11", "WH"), ("12", "WH2"), *((place, "WH") for place in SHOP_PLACES)),
        "supplier": (("maker-main", "V-MAKER"),),
    },
    "business-central-main": {
        "location": (
            ("11", "26814998-936a-401c-81c1-0e848a64971d"),
            ("12", "130bbd17-dbb9-4790-9b12-2b0e9c9d22c3"),
            *((place, "26814998-936a-401c-81c1-0e848a64971d") for place in SHOP_PLACES),
        ),
        "payment_method": tuple(
            (name, f"bank:{name.upper().replace(' ', '-').replace(':', '-')[:20]}") for name in METHODS
        ),
    },
    "sap-s4hana-main": {
        "location": (("11", "1710/171A"), ("12", "1720/172A"), *((place, "1710/171S") for place in SHOP_PLACES)),
    },
}
BY_NUMBER = ("netsuite-main",)  # ERPs that know items by `Article.erp`; the others by the code that is our SKU
SHOP_CODES: dict[str, tuple[tuple[str, str], ...]] = {
    "location": (("11", "gid://shopify/Location/70001"),),
    "carrier": (("UPS", "UPS"),),
}
