"""Opening a driver session, and saying why there is none."""

import asyncio
import logging
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress

from cassandra import AuthenticationFailed, DriverException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    ExecutionProfile,
    NoHostAvailable,
    Session,
    UnresolvableContactPoints,
)
from cassandra.cluster import Cluster as Driver
from cassandra.connection import ConnectionException
from cassandra.policies import ConstantReconnectionPolicy, FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.query import tuple_factory

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import ClusterUnreachable
from atlasdb_recovery.foreign import plain

RECONNECTS_EVERY = 1.0
UNRESOLVABLE = (
    "none of {} is a host name that resolves here. Check the addresses (cql.contact_points, or `servers` in the "
    "service's configuration) and this machine's name service."
)

for library in ("cassandra", "stamina"):
    logging.getLogger(library).addHandler(logging.NullHandler())


async def connected(
    contact_points: Sequence[str],
    *,
    port: int,
    username: str,
    password: str,
    tls: ssl.SSLContext | None,
    connect_timeout: float,
    request_timeout: float,
) -> Connection:
    """A session with every node that the first answering contact point names.

    The driver neither retries nor stamps write times by itself. Raises ClusterUnreachable, naming what was tried and
    what to check; the password is never in it.
    """
    try:
        driver = Driver(
            contact_points=list(contact_points),
            port=port,
            auth_provider=PlainTextAuthProvider(username, password) if username else None,
            ssl_context=tls,
            execution_profiles={EXEC_PROFILE_DEFAULT: _profile(request_timeout)},
            reconnection_policy=ConstantReconnectionPolicy(RECONNECTS_EVERY, max_attempts=None),
            connect_timeout=connect_timeout,
            control_connection_timeout=connect_timeout,
            max_schema_agreement_wait=0,
        )
    except UnresolvableContactPoints as error:
        raise ClusterUnreachable(UNRESOLVABLE.format(plain(", ".join(contact_points)))) from error
    try:
        session = await _session(driver)
    except (NoHostAvailable, DriverException, ConnectionException, OSError) as error:
        await asyncio.to_thread(driver.shutdown)
        raise ClusterUnreachable(refusal(error, contact_points, port, username, tls=tls is not None)) from error
    session.use_client_timestamp = False
    return Connection(driver, session)


def _profile(request_timeout: float) -> ExecutionProfile:
    return ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(),
        retry_policy=FallthroughRetryPolicy(),
        request_timeout=request_timeout,
        row_factory=tuple_factory,
    )


async def _session(driver: Driver) -> Session:
    """A session. Whoever is cancelled meanwhile need not wait until a silent node is given up: a thread does that."""
    loop = asyncio.get_running_loop()
    session: asyncio.Future[Session] = loop.create_future()

    def connect() -> None:
        made, failure = None, None
        try:
            made = driver.connect(None, True)
        except BaseException as error:  # handed on to whoever waits
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, made, failure)

    def settle(made: Session | None, failure: BaseException | None) -> None:
        if session.cancelled():
            threading.Thread(target=driver.shutdown, daemon=True).start()
        elif failure is not None:
            session.set_exception(failure)
        else:
            session.set_result(made)

    threading.Thread(target=connect, daemon=True, name="connecting").start()
    return await session


def refusal(error: BaseException, contact_points: Sequence[str], port: int, username: str, *, tls: bool) -> str:
    """What was tried, what each address answered, and what to check first."""
    errors = getattr(error, "errors", None)
    answers = dict(errors) if isinstance(errors, dict) else {", ".join(contact_points): error}
    said = "; ".join(
        f"{where}: {type(cause).__name__} {plain(str(cause), 500)}".strip() for where, cause in answers.items()
    )
    return (
        f"no session with {', '.join(contact_points)} on port {port} ({said}). {_remedy(answers, port, username, tls)}"
    )


def _remedy(answers: dict[object, BaseException], port: int, username: str, tls: bool) -> str:
    causes = list(answers.values())
    if any(isinstance(cause, AuthenticationFailed) or "authentication" in str(cause).lower() for cause in causes):
        return f"Check cql.username ({username or 'none given'}) and cql.password."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return (
            "TLS was not agreed on. Check cql.tls: the certificate authority must be the one that signed the nodes' "
            "certificates, and the port must be the one where the nodes speak TLS."
        )
    remedy = f"Check that the nodes are up and that {port} is their native port (9042 by default): set cql.port."
    if port == 9160:
        remedy = "Port 9160 is Thrift's by default: set cql.port to the native port (9042 by default)."
    return remedy if tls else remedy + " If the nodes want TLS, set cql.tls."
