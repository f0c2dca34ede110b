"""Prices lines and totals by the merchant book, in integers of minor units, without floats."""

from __future__ import annotations

from domain.checkout import tax_of
from domain.merchant_book import BookItem, MerchantBook
from domain.rejection import invalid
from domain.values import Address, FulfillmentOption, Item, LineItem, Total


def price_lines(
    items: tuple[Item, ...], address: Address | None, book: MerchantBook
) -> tuple[LineItem, ...]:
    """Price the items by the book, taxed for the address. Raises `Rejection` for an unknown item."""
    return tuple(
        _price(item, _sold(book, item.id, f"$.items[{index}].id"), address, book)
        for index, item in enumerate(items)
    )


def tax_lines(
    lines: tuple[LineItem, ...], address: Address | None, book: MerchantBook
) -> tuple[LineItem, ...]:
    """Tax priced lines for another address; their prices stay. Raises `Rejection` if an item is gone."""
    return tuple(
        _taxed(line, _tax(line.subtotal, _tax_class(line, address, book), address, book))
        for line in lines
    )


def total_up(
    lines: tuple[LineItem, ...],
    option: FulfillmentOption | None,
    address: Address | None,
    order_tax: int,
) -> tuple[Total, ...]:
    """The rows of the totals, in the order they are shown."""
    rows = [Total(type="subtotal", display_text="Subtotal", amount=sum(x.subtotal for x in lines))]
    if option:
        rows.append(Total(type="fulfillment", display_text="Shipping", amount=option.subtotal))
    if address:
        tax = tax_of(lines, option) + order_tax
        rows.append(Total(type="tax", display_text="Tax", amount=tax))
    rows.append(Total(type="total", display_text="Total", amount=sum(row.amount for row in rows)))
    return tuple(rows)


def _sold(book: MerchantBook, item_id: str, param: str) -> BookItem:
    item = book.item(item_id)
    if item is None:
        raise invalid(f"the merchant does not sell {item_id!a}", param)
    return item


def _tax_class(line: LineItem, address: Address | None, book: MerchantBook) -> str:
    if address is None:
        return ""
    return _sold(book, line.item.id, "$.items").tax_class


def _price(item: Item, sold: BookItem, address: Address | None, book: MerchantBook) -> LineItem:
    base_amount = sold.unit_amount * item.quantity
    discount = sold.discount * item.quantity
    subtotal = base_amount - discount
    tax = _tax(subtotal, sold.tax_class, address, book)
    return LineItem(
        id=item.id,
        item=item,
        base_amount=base_amount,
        discount=discount,
        total=subtotal + tax,
        subtotal=subtotal,
        tax=tax,
    )


def _taxed(line: LineItem, tax: int) -> LineItem:
    return line.model_copy(update={"tax": tax, "total": line.subtotal + tax})


def _tax(subtotal: int, tax_class: str, address: Address | None, book: MerchantBook) -> int:
    if address is None:
        return 0
    return (subtotal * book.tax_rate(address, tax_class) + 5_000) // 10_000
