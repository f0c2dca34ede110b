"""The Kafka door's documents, written from the commands, the events and what is sent for them."""

from services.messages.asyncapi.document import asyncapi_document
from services.messages.asyncapi.page import asyncapi_page

__all__ = ["asyncapi_document", "asyncapi_page"]
