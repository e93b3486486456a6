"""A simulated cluster in a process of its own, so that it outlives a wizard that is killed.

One request a connection: a pickled call of one method of `cluster` or `nodetool`; what it streams comes as one list.
"""

import asyncio
import inspect
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ASKED_ABOUT = ("arena", "exercise", "gate")
"""What the test itself asks; everything else is asked by the program."""


class Gate:
    """Lets requests through. Once closed it keeps them, unanswered and undone, until it is opened."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._opened.set()
        self._method, self._left = "", 0

    async def close_at(self, method: str, call: int = 1) -> None:
        """Closes at this call, counted from 1, of this method; "" is any."""
        self._method, self._left = method, call

    async def is_closed(self) -> bool:
        return not self._opened.is_set()

    async def open(self) -> None:
        self._opened.set()

    async def passes(self, method: str) -> None:
        if self._left and self._method in {"", method}:
            self._left -= 1
            if not self._left:
                self._opened.clear()
        await self._opened.wait()


async def serve(socket: Path, **objects: Any) -> asyncio.Server:
    """Answers until the server is closed. `objects` by the names they are asked for; a `gate` is there already."""
    gate = Gate()
    objects["gate"] = gate

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name, method, arguments, options = pickle.loads(await reader.read())
        if name not in ASKED_ABOUT:
            await gate.passes(method)
        try:
            result: Any = getattr(objects[name], method)(*arguments, **options)
            if inspect.isasyncgen(result) or hasattr(result, "__aiter__"):
                result = [item async for item in result]
            elif inspect.isawaitable(result):
                result = await result
            reply = (True, result)
        except Exception as error:
            reply = (False, error)
        with suppress(ConnectionError):  # whoever asked may be dead by now
            writer.write(pickle.dumps(reply))
            writer.write_eof()
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(answer, str(socket))


class Elsewhere:
    """Stands for one of the served objects: every method is awaited, or iterated where its name is in `streams`."""

    def __init__(
        self, socket: Path, name: str, *, streams: tuple[str, ...] = (), plain: dict[str, Any] | None = None
    ) -> None:
        self._socket = socket
        self._name = name
        self._streams = streams
        self._plain = plain or {}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method in self._plain:
            return self._plain[method]  # type: ignore[no-any-return]
        call = self._stream if method in self._streams else self._call

        def bound(*arguments: Any, **options: Any) -> Any:
            return call(method, arguments, options)

        return bound

    async def _call(self, method: str, arguments: Any, options: Any) -> Any:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        writer.write(pickle.dumps((self._name, method, arguments, options)))
        writer.write_eof()
        succeeded, result = pickle.loads(await reader.read())
        writer.close()
        if not succeeded:
            raise result
        return result

    async def _stream(self, method: str, arguments: Any, options: Any) -> AsyncIterator[Any]:
        for item in await self._call(method, arguments, options):
            yield item
