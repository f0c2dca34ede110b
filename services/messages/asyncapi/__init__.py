"""The AsyncAPI document and its page, made from the commands, the events and the shapes of what is sent."""

from services.messages.asyncapi.document import asyncapi_document
from services.messages.asyncapi.page import asyncapi_page

__all__ = ["asyncapi_document", "asyncapi_page"]
