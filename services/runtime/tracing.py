"""OpenTelemetry traces, if OTEL_EXPORTER_OTLP_ENDPOINT is set; else they cost one comparison.

A span holds what was done, to how many items and how long it took: no query string, body or key.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from services.runtime.settings import BadSetting

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Span, Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_MOST_LINKS = 128
"""Links of one span: the default limit of the SDK."""
_END_SECONDS = 2.0

Attribute = str | int

_tracer: Tracer | None = None


class Traced:
    """A span while it is open; it does nothing when there are no traces."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    def describe(self, name: str, **attributes: Attribute) -> None:
        """Rename the span, and add attributes known only at its end. `__` in a name stands for a dot."""
        if self._span:
            self._span.update_name(name)
            self._span.set_attributes(_dotted(attributes))

    def traceparent(self) -> str | None:
        """The span as W3C trace context, to pass on."""
        if self._span is None:
            return None
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


_NOTHING = contextlib.nullcontext(Traced())


@contextlib.contextmanager
def exporting_traces(service: str) -> Iterator[None]:
    """Export traces within the block, if an endpoint is set. Raises `BadSetting` without the SDK."""
    global _tracer  # noqa: PLW0603 - a process has one, like its metrics and logs
    endpoint = next((name for name in _ENDPOINTS if os.environ.get(name)), None)
    if endpoint is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        raise BadSetting(f"{endpoint} needs pip install 'checkout[otel]'") from None
    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
    name = os.environ.get("OTEL_SERVICE_NAME") or f"checkout-{service}"
    resource = Resource.create({"service.name": name})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("checkout")
    try:
        yield
    finally:
        _tracer = None
        # It sends the remaining spans, and would wait many seconds for a collector that is down.
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(_END_SECONDS)


def request_span(traceparent: str | None) -> contextlib.AbstractContextManager[Traced]:
    """The span of an HTTP request; the caller's context may be given."""
    return _span("HTTP", "SERVER", [traceparent], {}) if _tracer else _NOTHING


def batch_span(
    name: str, kind: str, traceparents: Iterable[str | None], **attributes: Attribute
) -> contextlib.AbstractContextManager[Traced]:
    """A span of work on a batch whose items come from other traces.

    A single trace is continued; several are linked. `kind` is one of OpenTelemetry's: `INTERNAL`,
    `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER`.
    """
    return _span(name, kind, traceparents, attributes) if _tracer else _NOTHING


def span(
    name: str, kind: str, **attributes: Attribute
) -> contextlib.AbstractContextManager[Traced]:
    """A span within the current one of this thread or task."""
    return _span(name, kind, None, attributes) if _tracer else _NOTHING


def traceparent_in(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """The trace context in the headers of a Kafka message."""
    found = next((value for name, value in headers if name == "traceparent" and value), None)
    return found.decode("ascii", "replace") if found else None


@contextlib.contextmanager
def _span(
    name: str,
    kind: str,
    traceparents: Iterable[str | None] | None,
    attributes: dict[str, Attribute],
) -> Iterator[Traced]:
    from opentelemetry import context, trace

    if _tracer is None:
        yield Traced()
        return
    parent: Context | None = None
    links: list[trace.Link] = []
    if traceparents is not None:
        parent, links = _origin(traceparents)
    with _tracer.start_as_current_span(
        name,
        # Only a single origin is a parent. Without one, the span must not become a child of
        # whatever runs.
        context=context.Context() if parent is None and traceparents is not None else parent,
        kind=getattr(trace.SpanKind, kind),
        attributes=_dotted(attributes),
        links=links,
        # The text of an exception may quote its input.
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        try:
            yield Traced(begun)
        except Exception as error:
            begun.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def _origin(traceparents: Iterable[str | None]) -> tuple[Context | None, list[Link]]:
    """The context to continue, or the contexts to link."""
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    distinct = dict.fromkeys(filter(None, traceparents))
    contexts = [
        propagator.extract({"traceparent": given}) for given in islice(distinct, _MOST_LINKS)
    ]
    if len(contexts) == 1:
        return contexts[0], []
    spans = (trace.get_current_span(context).get_span_context() for context in contexts)
    return None, [trace.Link(span_context) for span_context in spans if span_context.is_valid]


def _dotted(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    return {name.replace("__", "."): value for name, value in attributes.items()}
