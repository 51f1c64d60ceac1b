"""What goes back and forth after the sale: a credit memo for what came back, a journal line for the money of each tender."""

from __future__ import annotations

from dataclasses import replace

from connectors.business_central.books import Books, numbered
from connectors.business_central.client import Row, text
from connectors.business_central.mapping import credit, parties, tenders
from connectors.business_central.mapping.rows import number
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, Return
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.tenders import dues
from connectors.kit.writes import ExternalId, Write, Writes

DRAFT = ("Draft", "In Review")
LINES = "salesCreditMemoLines"


class Credits(Books):
    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """A posted credit memo, and a journal line for each tender. What moved no money yet is booked when it does.

        Of an order that was cancelled before anything was invoiced there is nothing to credit: only the money is noted.
        """
        due = dues(order, refund)
        if not due:
            return ""
        memo = credit.credit_memo(order, refund, self.policy)
        journal = self.policy.wanted("refund_journal", "the journal for money going back")
        customer = self._customer_of(order)
        lines = [tenders.money_back(order, refund, one, customer, self.policy) for one in due]
        result = ""
        if self._credited(order, memo):
            made = yield self._memo(refund, order, memo, customer)
            result = yield self._posting(made)
        for index, body in enumerate(lines):
            found = yield self.journal_write(numbered("money_back", index), f"journals({journal})/journalLines", body)
            result = result or found
        return result

    def record_return(self, order: Order, returned: Return, *, key: str) -> Writes:
        """A posted credit memo of pieces at no price: Business Central has no other receipt of what a customer brings back."""
        memo = credit.goods_back(order, returned, self.policy)
        customer = self._customer_of(order)
        made = yield Write(
            "return_memo",
            send=lambda: self._create(order, returned, memo, customer),
            find=lambda: self._stands(memo),
            links=(("return_receipt", returned.id),),
        )
        return (yield self._posting(made))

    def record_disposition(self, order: Order, returned: Return, *, key: str) -> Writes:
        raise NotOffered("API v2.0 moves no pieces between locations.")

    def record_payment(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A payment in the payment journal, under the name that the order's booking gives it. Empty where the account notes no such payments."""
        noted = tenders.payments(replace(order, payments=(payment,)), self.policy)
        if not noted:
            return ""
        journal = self.policy.wanted("payment_journal", "the journal for payments")
        body = noted[0][1](self._customer_of(order))
        found = yield self.journal_write("payment", f"customerPaymentJournals({journal})/customerPayments", body)
        return found

    def _credited(self, order: Order, memo: credit.Memo) -> bool:
        return order.cancelled_at is None or bool(self.sales.invoices(order)) or self._named(memo) is not None

    def _customer_of(self, order: Order) -> str:
        """Whom the order was booked on: Business Central's own word, as people may have merged customers since."""
        record = self.sales.open(order, self._known(order))
        posted = [] if record is not None else self.sales.invoices(order)
        told = record or (posted[0] if posted else None)
        return str(told["customerId"]) if told else self._found(order)

    def _found(self, order: Order) -> str:
        """Of an order that is gone: whom it would be booked on."""
        if self.policy.customer_match == "one":
            return self.policy.wanted("customer", "the customer that every order is booked on")
        found = self.customers.find(parties.customer(order, self.policy))
        if found is not None:
            return found
        words = f"Neither order {order.number} nor its customer is in Business Central."
        raise Rejected(words, code="not_booked", remedy="Book the refund by hand.", owner="finance")

    # ---- the credit memo

    def _memo(self, refund: Refund, order: Order, memo: credit.Memo, customer: str) -> Write:
        return Write(
            "credit_memo",
            send=lambda: self._create(order, refund, memo, customer),
            find=lambda: self._stands(memo),
            links=(("refund", refund.id),),
        )

    def _named(self, memo: credit.Memo) -> Row | None:
        name = str(memo.header["externalDocumentNumber"])
        rows = self.client.rows("salesCreditMemos", f"externalDocumentNumber eq {text(name)}", expand=LINES)
        return rows[0] if rows else None

    def _stands(self, memo: credit.Memo) -> ExternalId | None:
        record = self._named(memo)
        right = record is not None and number(record.get("totalAmountIncludingTax")) == memo.stated
        return str(record["id"]) if record and right else None

    def _create(self, order: Order, refund: Refund | Return, memo: credit.Memo, customer: str) -> ExternalId:
        """The unposted memo once it has its total; one that Business Central reckons otherwise is removed and refused."""
        record = self._named(memo) or self.client.create("salesCreditMemos", {**memo.body(), "customerId": customer})
        path, made = f"salesCreditMemos({record['id']})", number(record.get("totalAmountIncludingTax"))
        left = memo.stated - made
        if left and abs(left) <= memo.slack:
            self.client.create(
                f"{path}/{LINES}", self.sales.rounding("settled", left, minor_unit(memo.currency)).body(marked=False)
            )
            record = self.client.get(path) or record
            made = number(record.get("totalAmountIncludingTax"))
        if made != memo.stated:
            if record.get("status") in DRAFT:
                self.client.remove(path, str(record["@odata.etag"]))
            raise credit.differs(order, refund, memo.stated, made)
        return str(record["id"])

    def _posting(self, memo: ExternalId) -> Write:
        """Posting an unposted memo; what is posted already keeps its SystemId."""

        def posted() -> ExternalId | None:
            record = self.client.get(f"salesCreditMemos({memo})")
            return memo if record is not None and record.get("status") not in DRAFT else None

        def post() -> ExternalId:
            if posted() is None:
                self.client.act(f"salesCreditMemos({memo})", "post")
            return memo

        return Write("credit_memo_posting", send=post, find=posted)
