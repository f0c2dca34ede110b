"""Nobody fills the memory by making metrics up."""

import httpx
from prometheus_client import REGISTRY
from starlette.applications import Starlette

from services.http_api.middleware import RequestMiddleware


async def test_methods_that_a_client_made_up_share_one_metric():
    transport = httpx.ASGITransport(RequestMiddleware(Starlette()))
    async with httpx.AsyncClient(transport=transport, base_url="http://checkout") as client:
        for number in range(20):
            await client.request(f"BOGUS{number}", "/v1/checkouts")

    methods = {
        sample.labels["method"]
        for metric in REGISTRY.collect()
        if metric.name == "checkout_http_seconds"
        for sample in metric.samples
    }
    assert "other" in methods
    assert not {method for method in methods if method.startswith("BOGUS")}
