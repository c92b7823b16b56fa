"""What machines ask: is it well, and how far behind is it."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from listener.store import mentions, sources
from listener.store.session import Store, now
from listener.web.csp import Reports


@dataclass(frozen=True)
class Health:
    """GET /health: 200 while the database answers."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """Say how it goes, in JSON."""
        del request
        async with self.store.reading() as session:
            waiting = await mentions.waiting(session)
            how = await sources.readings(session)
        failing = sum(reading.failing_since is not None for reading in how.values())
        return web.json_response(
            {"status": "ok", "waiting": waiting, "sources": len(how), "failing": failing}
        )


@dataclass(frozen=True)
class Metrics:
    """GET /metrics: gauges for Prometheus."""

    store: Store
    reports: Reports

    async def show(self, request: web.Request) -> web.Response:
        """Say it in Prometheus's words."""
        del request
        registry = CollectorRegistry()
        registry.register(self.reports)
        waiting = Gauge(
            "listener_mentions_waiting", "Mentions without a verdict", registry=registry
        )
        lag = Gauge(
            "listener_lag_seconds", "How long the oldest of them has waited", registry=registry
        )
        failing = Gauge(
            "listener_source_failing", "1 while a source fails", ["source"], registry=registry
        )
        read = Gauge(
            "listener_source_read_seconds",
            "How long ago a source was read to its end",
            ["source"],
            registry=registry,
        )
        async with self.store.reading() as session:
            moment = await now(session)
            waiting.set(await mentions.waiting(session))
            oldest = await mentions.oldest_waiting(session)
            lag.set((moment - oldest).total_seconds() if oldest else 0)
            how = await sources.readings(session)
            for source in await sources.every(session):
                reading = how.get(source.key)
                if reading is None:
                    continue
                failing.labels(source.name).set(reading.failing_since is not None)
                if reading.read_at is not None:
                    read.labels(source.name).set((moment - reading.read_at).total_seconds())
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
