"""What browsers refused to do on our pages, counted: it should be nothing."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override


@dataclass(eq=False)
class Reports(Collector):
    """POST /csp: a browser says that something on a page broke our policy."""

    count: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Count one. What it says is not kept: it may quote a page."""
        del request
        self.count += 1
        return web.Response(status=204)

    @override
    def collect(self) -> list[Metric]:
        """Say it to Prometheus."""
        return [
            CounterMetricFamily(
                "listener_csp_reports",
                "What browsers refused to do on our pages since the start",
                value=self.count,
            )
        ]
