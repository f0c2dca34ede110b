"""The AsyncAPI document as a page: all of it, safe to open, and from nowhere else."""

import re
from copy import deepcopy
from html.parser import HTMLParser

import httpx

from services.http_api.app import ApiDependencies, HttpApi
from services.kafka.topics import Topics
from services.messages.asyncapi import asyncapi_document, asyncapi_page
from tests.services.served_documents import parts

DOCUMENT = asyncapi_document(Topics())
MESSAGES = DOCUMENT["components"]["messages"]


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes, self.ids, self.targets = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        self.targets += [value for name, value in attrs if name in ("href", "src")]


def test_the_page_shows_every_message_header_and_schema():
    page = asyncapi_page(DOCUMENT)

    for message in MESSAGES.values():
        assert f"<code>{message['name']}</code>" in page
        for header in message["headers"]["properties"]:
            assert f"<code>{header}</code>" in page
    ids = Tags(page).ids
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_page_loads_nothing_and_its_links_lead_somewhere():
    page = asyncapi_page(DOCUMENT)
    tags = Tags(page)

    assert not {"script", "link", "img", "iframe", "object"} & set(tags.names)
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert not re.search(r"https?://|@import|url\(", page)
    assert {target for target in tags.targets if not target.startswith("#")} == {"asyncapi.json"}
    assert {target[1:] for target in tags.targets if target.startswith("#")} <= set(tags.ids)


def test_the_page_escapes_what_the_document_holds():
    evil = "<script>alert('&')</script>\""
    document = deepcopy(asyncapi_document(Topics(prefix=evil)))
    for part in parts(document):
        for field in ("description", "summary", "title", "name"):
            if isinstance(part.get(field), str):
                part[field] += evil

    page = asyncapi_page(document)

    assert "alert" in page
    assert "script" not in Tags(page).names


async def test_document_and_page_are_served():
    app = HttpApi(ApiDependencies(None, None, None, None, None, None, Topics(), {}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        assert (await client.get("/asyncapi.json")).json() == DOCUMENT
        assert (await client.get("/asyncapi")).text == asyncapi_page(DOCUMENT)
