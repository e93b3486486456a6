"""Ctrl+C, SIGTERM and SIGHUP: they cancel what is being done, and the command says how far it had come.

A signal that was ignored when the program started (nohup, a background job) stays ignored.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOTHING_BEGUN = "interrupted before anything was begun; nothing was changed"
DONE, PARKED = 0, 5
_struck: list["Interrupted"] = []
_heard: list["Interrupted"] = []


class Interrupted(BaseException):
    """A signal ended the command. `code` is the exit code, the message what is true now.

    No `except Exception` may hide it: a signal can strike in the middle of an import.
    """

    def __init__(self, words: str = "interrupted; nothing was changed", code: int = PARKED) -> None:
        super().__init__(words)
        self.code = code


def heed_signals(words: str = "interrupted; nothing was changed", code: int = PARKED) -> None:
    """From now on a stopping signal raises Interrupted with these words, wherever the program is.

    Where that cannot be raised (in a finaliser), the next `interruptible` raises it.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        _struck.append(Interrupted(words, code))
        raise _struck[0]

    for number in _heeded():
        signal.signal(number, stop)


def struck(error: BaseException) -> "Interrupted | None":
    """The interruption that this is of, if it is of one: what strikes while a class is made comes as another error."""
    if isinstance(error, Interrupted):
        return error
    return _struck[0] if _struck else None


def heard(interrupted: Interrupted) -> None:
    """It has come to the end of the command; nothing of it is left for the next one."""
    _struck.clear()
    _heard.append(interrupted)


def leave(code: int) -> NoReturn:
    """End the process. After an interruption at once: a thread may wait for a node that never answers."""
    if _heard:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def interruptible(work: Coroutine[Any, Any, int], *, nothing_begun: int = PARKED) -> int:
    """Run it to its exit code; a stopping signal cancels it.

    Raises Interrupted with the code `nothing_begun` if the cancellation comes back: who has begun something that can
    be gone on with catches it and says so.
    """
    if _struck:
        work.close()
        raise _struck.pop()
    before = {number: signal.getsignal(number) for number in _heeded()}
    try:
        return asyncio.run(_cancelled_by(tuple(before), work))
    except asyncio.CancelledError:
        raise Interrupted(NOTHING_BEGUN, nothing_begun) from None
    finally:
        for number, heed in before.items():
            signal.signal(number, heed)


async def _cancelled_by(signals: tuple[signal.Signals, ...], work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    return await work


def _heeded() -> tuple[signal.Signals, ...]:
    return tuple(number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN)
