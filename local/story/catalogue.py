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
COUNTED = ("WB-LAMP", "WB-BOOK")  # nobody orders these: what the shop offers of them is what the warehouse counted
SHIPS_FROM = 70001  # the shop's location for which the warehouse counts
NEW = Article("WB-NEW", "201")  # mapped in the middle of the story
FORGOTTEN = Article("WB-FORGOTTEN", "")  # never mapped: its orders stay parked, with a case
REFUSED_BUYER = "credit-hold@example.com"  # the ERP refuses this customer

# The account's own words for the rest, by kind: (ours, theirs).
ERP_CODES: dict[str, tuple[tuple[str, str], ...]] = {
    "location": (("11", "1"), ("12", "2"), ("gid://shopify/Location/70001", "3"), ("70001", "3")),
    "payment_method": (
        ("shopify_payments", "1"),
        ("gift_card", "2"),
        ("cash", "3"),
        ("manual", "4"),
        ("bank deposit", "5"),
    ),
    "carrier": (("UPS", "4"),),
}
TRYTON_CODES: dict[str, tuple[tuple[str, str], ...]] = {
    "location": (("11", "WH"), ("12", "WH2"), ("gid://shopify/Location/70001", "WH"), ("70001", "WH")),
}
SHOP_CODES: dict[str, tuple[tuple[str, str], ...]] = {
    "location": (("11", "gid://shopify/Location/70001"),),
    "carrier": (("UPS", "UPS"),),
}
