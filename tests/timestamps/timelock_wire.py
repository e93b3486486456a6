"""A wire to the simulated TimeLock that has no sockets: delays, hangs and broken connections in virtual time."""

import asyncio
import random
from collections.abc import Callable

import httpx

from atlasdb_recovery.practice.simulated.timelock.asked import Asked
from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble, NodeState
from atlasdb_recovery.practice.simulated.timelock.replies import Replies

LOOKS_AGAIN = 0.05


class Wire(httpx.AsyncBaseTransport):
    """Every request takes a moment to arrive, and its answer a moment to come back: a node may be gone by then."""

    def __init__(self, ensemble: Ensemble, addresses: tuple[str, ...], now: Callable[[], float], seed: int) -> None:
        self._ensemble = ensemble
        self._addresses = addresses
        self._replies = Replies(ensemble, addresses)
        self._now = now
        self._random = random.Random(seed)
        self.served: list[tuple[float, str]] = []
        """When a node obeyed which request, whether or not its answer arrived."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions["timeout"]
        origin = f"{request.url.scheme}://{request.url.host}:{request.url.port}"
        node = self._addresses.index(origin)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.url.raw_path.decode(), headers, await request.aread())
        until = self._now() + limits["read"]
        await self._travel()
        await self._while_it_hangs(node, until)
        reply = self._replies.reply(node, asked)
        if reply.status in {200, 204}:
            self.served.append((self._now(), f"{asked.method} {asked.target}"))
        await self._travel()
        await self._while_it_hangs(node, until)
        return httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(reply.body))

    async def _travel(self) -> None:
        await asyncio.sleep(self._random.choice((0.001, 0.02, 0.2, 1.0)) * self._random.random())

    async def _while_it_hangs(self, node: int, until: float) -> None:
        while True:
            state = self._ensemble.states[node]
            if state is NodeState.DOWN:
                raise httpx.ConnectError("[Errno 111] Connection refused")
            if state is NodeState.UP and not self._ensemble.hesitates(node):
                return
            if self._now() >= until:
                raise httpx.ReadTimeout("The read operation timed out")
            await asyncio.sleep(LOOKS_AGAIN)
