"""Merchant books to decide by."""

import re

from domain.merchant_file import parse_book

BOOK_TOML = """\
currency = "usd"

[payment_provider]
provider = "stripe"
supported_payment_methods = ["card", "link"]

[[links]]
type = "terms_of_use"
url = "https://shop.example/terms"

[[items]]
id = "mug"
title = "Mug"
unit_amount = 1000

[[items]]
id = "novel"
title = "Novel"
unit_amount = 990
tax_class = "reduced"

[[items]]
id = "pen"
title = "Pen"
unit_amount = 333
discount = 33

[[items]]
id = "card"
title = "Postcard"
unit_amount = 200

[[items]]
id = "stamp"
title = "Stamp"
unit_amount = 200

[[fulfillment_options]]
id = "ground"
title = "Ground"
country = "US"
subtotal = 700
tax = 35

[[fulfillment_options]]
id = "courier"
title = "Courier"
subtitle = "Today"
carrier = "Wheels"
country = "US"
region = "CA"
subtotal = 1200
tax = 60

[[fulfillment_options]]
type = "digital"
id = "express"
title = "Express"
country = "US"
subtotal = 1500

[[fulfillment_options]]
id = "parcel"
title = "Parcel"
country = "DE"
subtotal = 450
tax = 72

[[tax_rates]]
country = "US"
basis_points = 400

[[tax_rates]]
country = "US"
region = "CA"
basis_points = 725

[[tax_rates]]
country = "US"
region = "CA"
tax_class = "reduced"
basis_points = 250

[[tax_rates]]
country = "DE"
basis_points = 1900

[[order_taxes]]
country = "US"
amount = 25

[[order_taxes]]
country = "US"
region = "NY"
amount = 40
"""
BOOK = parse_book(BOOK_TOML)
DEARER = parse_book(
    BOOK_TOML.replace("unit_amount = 1000", "unit_amount = 1100")
    .replace("subtotal = 700", "subtotal = 800")
    .replace("subtotal = 1200", "subtotal = 1300")
    .replace("basis_points = 725", "basis_points = 900")
    .replace("amount = 25\n", "amount = 30\n")
)
"""The same book after the merchant raised the mug, two options, California's tax and the order tax."""
FREE = parse_book(re.sub(r"= \d+$", "= 0", BOOK_TOML, flags=re.MULTILINE))
"""The same book with nothing to pay: all is given away, shipped for nothing and not taxed."""
BARE = parse_book(
    'currency = "eur"\n[payment_provider]\nprovider = "stripe"\nsupported_payment_methods = []\n'
    '[[items]]\nid = "pear"\ntitle = "Pear"\nunit_amount = 40\n'
)
"""A book that sells something else, ships nowhere and taxes nothing."""
