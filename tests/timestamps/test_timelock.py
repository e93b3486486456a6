"""TimeLock's client against the simulated server, over real HTTP on the loopback interface."""

import asyncio
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.practice.simulated.timelock.certificates import Certified, certified
from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from atlasdb_recovery.practice.simulated.timelock.namespaces import Exhausted
from atlasdb_recovery.timestamps.service import (
    HIGHEST_TIMESTAMP,
    FastForwarded,
    TimestampService,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)
from atlasdb_recovery.timestamps.timelock import TimeLockTimestamps
from atlasdb_recovery.timestamps.timelock_locks import TimeLockLocks
from atlasdb_recovery.timestamps.timelock_servers import timelock_servers, who_leads

THREE = ("127.0.20.1", "127.0.20.2", "127.0.20.3")
FRESH = "POST /orders/timestamp/fresh-timestamp"


async def nothing_known() -> int:
    return 0


def client(timelock: SimulatedTimeLock, namespace: str = "orders", known: int = 0, **more: Any) -> TimeLockTimestamps:
    async def what_is_known() -> int:
        return known

    limits = {name: more.pop(name) for name in ("connect", "read") if name in more}
    servers = timelock_servers(more.pop("addresses", timelock.uris), more.pop("tls", None), **limits)
    return TimeLockTimestamps(servers, namespace, what_is_known, **more)


def hastened() -> float:
    """Elections take a tenth of their time."""
    return time.monotonic() * 10


@pytest.fixture
def one() -> Iterator[SimulatedTimeLock]:
    with SimulatedTimeLock(ensemble=Ensemble(1, now=hastened)) as timelock:
        timelock.ensemble.namespace("orders").fast_forward(10_000)
        yield timelock


@pytest.fixture
def three() -> Iterator[SimulatedTimeLock]:
    with SimulatedTimeLock(THREE, ensemble=Ensemble(3, now=hastened)) as timelock:
        timelock.ensemble.leader = 2
        timelock.ensemble.namespace("orders").fast_forward(10_000)
        yield timelock


def names(timelock: SimulatedTimeLock) -> set[str]:
    return set().union(*timelock.ensemble.listed)


async def test_it_is_a_timestamp_service_for_live_use(one: SimulatedTimeLock) -> None:
    timestamps: TimestampService = client(one)
    assert (timestamps.serves_live, timestamps.uses_stored_bound) == (True, False)
    assert await timestamps.bound() is None
    assert (await timestamps.fresh_timestamp(), await timestamps.fresh_timestamp()) == (10_001, 10_002)
    assert await timestamps.lower_limit() == 10_003
    assert "“orders”" in timestamps.description
    assert one.uris[0] in timestamps.description


async def test_a_follower_names_the_leader_and_it_is_remembered(three: SimulatedTimeLock) -> None:
    timestamps = client(three)
    assert await timestamps.fresh_timestamp() == 10_001
    assert await timestamps.fresh_timestamp() == 10_002
    assert [node for node, what in three.asked if what == FRESH] == [0, 2, 2]


async def test_who_looks_on_is_told_of_every_server_that_is_asked(three: SimulatedTimeLock) -> None:
    told: list[tuple[str, str]] = []

    async def known() -> int:
        return 0

    servers = timelock_servers(three.uris, None, seen=lambda server, role, _: told.append((server, role)))
    timestamps = TimeLockTimestamps(servers, "orders", known)
    await timestamps.ping()
    assert told == list(zip(three.uris, ("follows", "follows", "leads"), strict=True))
    told.clear()
    await timestamps.fresh_timestamp()
    assert told == [(three.uris[0], "follows"), (three.uris[2], "leads")]
    three.kill(2)
    told.clear()
    await timestamps.fresh_timestamp()
    assert told[0] == (three.uris[2], "silent")
    assert told[-1][1] == "leads"
    assert told[-1][0] != three.uris[2]


async def test_a_leader_by_another_name_is_found_all_the_same() -> None:
    """Location says 127.0.0.1, the configuration localhost: then every server is asked in turn."""
    with SimulatedTimeLock(("127.0.0.1",) * 3) as timelock:
        timelock.ensemble.leader = 2
        timelock.ensemble.namespace("orders").fresh()
        addresses = [uri.replace("127.0.0.1", "localhost") for uri in timelock.uris]
        assert await client(timelock, addresses=addresses).fresh_timestamp() == 2
        assert [node for node, what in timelock.asked if what == FRESH] == [0, 1, 2]


def test_an_address_that_is_none() -> None:
    with pytest.raises(TimestampServiceRefused, match=r"127\.00\.0\.1 is no address"):
        timelock_servers(["http://127.00.0.1"], None)


async def test_who_leads_is_told_without_asking_the_namespace(three: SimulatedTimeLock) -> None:
    said = await client(three).ping()
    assert [
        f"{uri} {role}" for uri, role in zip(three.uris, ("follows", "follows", "leads"), strict=True)
    ] == said.split(", ")
    assert not [what for _, what in three.asked if "/orders/" in what]
    three.kill(0)
    assert "does not answer" in await client(three).ping()


@pytest.mark.parametrize(("late", "answers"), [(2, True), (3, False)])
async def test_servers_that_all_seem_too_slow_are_asked_again(late: int, answers: bool) -> None:
    """A busy machine of our own lets the time pass as well."""
    asked = 0

    def reply(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked <= late:
            raise httpx.ConnectTimeout("", request=request)
        return httpx.Response(200, stream=httpx.ByteStream(b'{"isLeader": true}'))

    servers = timelock_servers(["http://127.0.20.9:1"], None, transport=httpx.MockTransport(reply))
    if answers:
        assert "leads" in await who_leads(servers)
    else:
        with pytest.raises(TimestampServiceUnavailable, match="ConnectTimeout"):
            await who_leads(servers)
    assert asked == 3


async def test_the_leader_dies(three: SimulatedTimeLock) -> None:
    timestamps = client(three)
    assert await timestamps.fresh_timestamp() == 10_001
    three.kill(2)
    assert await timestamps.fresh_timestamp() == 1_010_001
    assert three.ensemble.elections


async def test_the_leader_freezes(three: SimulatedTimeLock) -> None:
    timestamps = client(three, read=0.3)
    assert await timestamps.fresh_timestamp() == 10_001
    three.freeze(2)
    assert await timestamps.fresh_timestamp() == 1_010_001


async def test_no_quorum(three: SimulatedTimeLock) -> None:
    timestamps = client(three, read=0.2, total=1.0)
    await timestamps.fresh_timestamp()
    three.kill(0)
    three.kill(1)
    with pytest.raises(TimestampServiceUnavailable, match=r"within 1 seconds .*127\.0\.20\.3"):
        await timestamps.fresh_timestamp()
    with pytest.raises(TimestampServiceUnavailable):
        await timestamps.fast_forward(20_000)
    three.start(0)
    assert await client(three).fresh_timestamp() > 10_001


async def test_a_restart_skips_timestamps_and_repeats_none(one: SimulatedTimeLock) -> None:
    timestamps = client(one)
    await timestamps.fresh_timestamp()
    one.kill(0)
    one.start(0)
    assert await timestamps.fresh_timestamp() == 1_010_001


async def test_fast_forward_is_read_back(one: SimulatedTimeLock) -> None:
    done = await client(one).fast_forward(2**60)
    assert done == FastForwarded(target=2**60, before=10_001, reached=2**60 + 1, changed=True)
    assert await client(one).fast_forward(500) == FastForwarded(
        target=500, before=2**60 + 2, reached=2**60 + 2, changed=False
    )
    assert sum("fast-forward" in what for _, what in one.asked) == 1


@pytest.mark.parametrize("target", [0, -1, HIGHEST_TIMESTAMP, HIGHEST_TIMESTAMP - 9_999_999])
async def test_targets_that_would_poison_it_are_never_sent(one: SimulatedTimeLock, target: int) -> None:
    with pytest.raises(TimestampServiceRefused, match=f"Nothing was changed: {target} "):
        await client(one).fast_forward(target)
    assert one.asked == []


async def test_a_poisoned_server_is_no_use_and_says_so(one: SimulatedTimeLock) -> None:
    with pytest.raises(Exhausted):
        one.ensemble.namespace("orders").fast_forward(HIGHEST_TIMESTAMP)
    with pytest.raises(TimestampServiceRefused, match=r"HTTP 500 to POST /orders/.*timestamps are exhausted"):
        await client(one).fresh_timestamp()
    assert [what for _, what in one.asked].count(FRESH) == 1


class TestNoNamespaceIsCreatedByAccident:
    async def test_by_any_call(self, three: SimulatedTimeLock) -> None:
        timestamps = client(three, "oders")
        assert isinstance(timestamps.immutable_locks, TimeLockLocks)
        for call in (
            timestamps.fresh_timestamp(),
            timestamps.lower_limit(),
            timestamps.ping(),
            timestamps.fast_forward(20_000),
            timestamps.immutable_locks.immutable_timestamp(),
            timestamps.immutable_locks.lock_immutable_timestamp(),
        ):
            with pytest.raises(TimestampServiceRefused, match=r"no namespace “oders”.*would create it"):
                await call
        assert names(three) == {"orders"}

    async def test_a_fresh_timestamp_of_it_is_refused_even_with_a_word(self, one: SimulatedTimeLock) -> None:
        timestamps = client(one, "new", is_meant=True)
        await timestamps.ping()
        assert await timestamps.lower_limit() is None
        with pytest.raises(TimestampServiceRefused, match="no namespace “new”"):
            await timestamps.fresh_timestamp()
        assert names(one) == {"orders"}

    async def test_a_fast_forward_creates_it_with_the_operators_word(self, one: SimulatedTimeLock) -> None:
        timestamps = client(one, "new", is_meant=True)
        done = await timestamps.fast_forward(20_000)
        assert done == FastForwarded(target=20_000, before=None, reached=20_001, changed=True)
        assert await timestamps.fresh_timestamp() == 20_002

    async def test_a_node_that_was_away_when_it_was_made_does_not_decide(self, three: SimulatedTimeLock) -> None:
        three.ensemble.listed[0].clear()
        three.ensemble.listed[1].clear()
        assert await client(three).fresh_timestamp() == 10_001

    async def test_one_answer_of_three_is_too_few_to_say_no(self, three: SimulatedTimeLock) -> None:
        three.ensemble.listed[0].clear()
        three.kill(1)
        three.kill(2)
        with pytest.raises(TimestampServiceUnavailable, match="Too few of TimeLock's servers answered"):
            await client(three, total=0.3).fresh_timestamp()

    async def test_timestamps_of_another_keyspace_are_refused(self, one: SimulatedTimeLock) -> None:
        with pytest.raises(TimestampServiceRefused, match=r"handed out 10001 .* used timestamps up to 5000000"):
            await client(one, known=5_000_000).fresh_timestamp()
        with pytest.raises(TimestampServiceRefused, match="another keyspace's timestamps"):
            await client(one, known=5_000_000).fast_forward(6_000_000)
        assert not any("fast-forward" in what for _, what in one.asked)
        done = await client(one, known=5_000_000, is_meant=True).fast_forward(6_000_000)
        assert done.reached == 6_000_001

    async def test_a_keyspace_that_speaks_against_timelock_stops_everything(self, one: SimulatedTimeLock) -> None:
        async def contradiction() -> int:
            raise TimestampServiceRefused("its own bound is valid")

        timestamps = TimeLockTimestamps(timelock_servers(one.uris, None), "orders", contradiction)
        for call in (timestamps.fresh_timestamp(), timestamps.fast_forward(20_000), timestamps.lower_limit()):
            with pytest.raises(TimestampServiceRefused, match="its own bound is valid"):
                await call
        assert not [what for _, what in one.asked if "/orders/" in what]


@pytest.mark.parametrize(
    "name", ["", "tl", "lw", "leader", "__leader__", "a.b", "a b", "a/b", "a%20b", "é", "x" * 256, "a\n", "a?b=c"]
)
def test_names_that_cannot_be_are_not_sent(name: str) -> None:
    with pytest.raises(TimestampServiceRefused, match="Nothing was asked of TimeLock"):
        TimeLockTimestamps(timelock_servers(["http://127.0.20.1:1"], None), name, nothing_known)


@pytest.mark.parametrize("name", ["orders", "TL", "ns-1_X", "backup", "-", "x" * 255])
def test_names_that_can_be(name: str) -> None:
    assert TimeLockTimestamps(timelock_servers(["http://127.0.20.1:1"], None), name, nothing_known).namespace == name


async def test_a_wrong_context_path_is_final() -> None:
    with SimulatedTimeLock(context_path="/timelock/api") as timelock:
        timelock.ensemble.namespace("orders").fresh()
        assert await client(timelock).fresh_timestamp() == 2
        wrong = [timelock.uris[0].removesuffix("/timelock/api")]
        with pytest.raises(TimestampServiceRefused, match="no TimeLock at this address, or it is a release"):
            await client(timelock, addresses=wrong).fresh_timestamp()
        with pytest.raises(TimestampServiceRefused, match="HTTP 404 to POST /orders/timestamp/fresh-timestamp"):
            await client(timelock, addresses=wrong, is_meant=True).fresh_timestamp()


def test_no_servers() -> None:
    with pytest.raises(TimestampServiceRefused, match="no file names its servers"):
        timelock_servers([], None)


class TestLocks:
    async def test_held_refreshed_and_let_go(self, one: SimulatedTimeLock) -> None:
        locks = client(one).immutable_locks
        assert isinstance(locks, TimeLockLocks)
        lock = await locks.lock_immutable_timestamp()
        assert lock.immutable == 10_001
        await client(one).fresh_timestamp()
        assert await locks.immutable_timestamp() == 10_001
        assert await locks.refresh_lock(lock, soon())
        assert await locks.unlock(lock)
        assert not await locks.unlock(lock)
        assert not await locks.refresh_lock(lock, soon())

    @pytest.mark.parametrize("what", ["an election", "its lease", "a restart"])
    async def test_lost(self, one: SimulatedTimeLock, what: str) -> None:
        locks = client(one).immutable_locks
        assert locks is not None
        lock = await locks.lock_immutable_timestamp()
        if what == "an election":
            one.resign()
        elif what == "its lease":
            one.lose_locks("orders")
        else:
            one.kill(0)
            one.start(0)
        assert not await locks.refresh_lock(lock, soon())

    async def test_a_lock_keeps_its_place_in_line(self, one: SimulatedTimeLock) -> None:
        """Another's older lock holds the immutable timestamp lower than ours."""
        locks = client(one).immutable_locks
        assert locks is not None
        older, ours = await locks.lock_immutable_timestamp(), await locks.lock_immutable_timestamp()
        assert older.immutable == ours.immutable == 10_001
        assert older.token != ours.token


def soon() -> float:
    return asyncio.get_running_loop().time() + 10


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.20.1, with its key."""
    where = tmp_path_factory.mktemp("tls")
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2"
        " -subj /CN=timelock -addext subjectAltName=IP:127.0.20.1"
    )
    subprocess.run(make.split(), cwd=where, check=True, capture_output=True)
    return where


async def test_a_trust_store_that_was_mended_is_read_again(certificate: Path, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    trusted = tmp_path / "trust.pem"
    other = certified(tmp_path / "other", "another authority", ["127.0.20.1"])
    trusted.write_text(other.authority.read_text())
    with SimulatedTimeLock(THREE[:1], tls=context) as timelock:
        timelock.ensemble.namespace("orders").fresh()
        timestamps = client(timelock, tls=TlsFiles(ca=trusted))
        for _ in range(2):
            with pytest.raises(TimestampServiceRefused, match="is not trusted"):
                await timestamps.fresh_timestamp()
        trusted.write_text("no certificate at all")
        with pytest.raises(TimestampServiceRefused, match="holds no certificate"):
            await timestamps.fresh_timestamp()
        trusted.write_text((certificate / "ca.pem").read_text())
        assert await timestamps.fresh_timestamp() == 2


async def test_the_simulated_authority_is_trusted_by_name_too(tmp_path: Path) -> None:
    made = certified(tmp_path / "tls", "an authority", THREE[:1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    with SimulatedTimeLock(THREE[:1], tls=context) as timelock:
        timelock.ensemble.namespace("orders").fresh()
        assert await client(timelock, tls=TlsFiles(ca=made.authority, verify_host=True)).fresh_timestamp() == 2


async def test_a_certificate_that_is_not_trusted_is_final(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    with SimulatedTimeLock(THREE[:2], tls=context) as timelock:
        timelock.ensemble.namespace("orders").fresh()
        trusting = TlsFiles(ca=certificate / "ca.pem", verify_host=True)
        assert await client(timelock, addresses=timelock.uris[:1], tls=trusting).fresh_timestamp() == 2
        for tls in (None, trusting):  # the second server's name is not in the certificate
            asked = len(timelock.asked)
            with pytest.raises(TimestampServiceRefused, match=r"certificate of https://127\.0\.20\.\S+ is not trusted"):
                await client(timelock, tls=tls).fresh_timestamp()
            assert not [what for _, what in timelock.asked[asked:] if "/orders/" in what]


async def test_what_stands_in_the_trust_store_is_an_anchor_an_intermediate_too(tmp_path: Path) -> None:
    """As in Java. The server's own authority is all that is trusted; the one above it is not known here."""
    above = certified(tmp_path / "above", "the company's authority", ["127.0.20.9"])
    made = certified(tmp_path / "tls", "the team's authority", THREE[:1])
    signed = signed_by(above, made, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    with SimulatedTimeLock(THREE[:1], tls=context) as timelock:
        timelock.ensemble.namespace("orders").fresh()
        assert await client(timelock, tls=TlsFiles(ca=signed, verify_host=True)).fresh_timestamp() == 2
        with pytest.raises(TimestampServiceRefused, match="is not trusted"):
            await client(timelock, tls=TlsFiles(ca=above.authority, verify_host=True)).fresh_timestamp()


def signed_by(above: Certified, authority: Certified, directory: Path) -> Path:
    """The same authority's certificate, certified by another one instead of by itself."""
    request, extensions, signed = (directory / name for name in ("ca.csr", "ca.ext", "signed.pem"))
    extensions.write_text("basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n")
    key, key_above = (made.authority.with_name("ca.key") for made in (authority, above))
    for line in (
        f"x509 -x509toreq -in {authority.authority} -signkey {key} -out {request}",
        f"x509 -req -in {request} -CA {above.authority} -CAkey {key_above} -CAcreateserial -extfile {extensions}"
        f" -days 2 -out {signed}",
    ):
        subprocess.run(["openssl", *line.split()], check=True, capture_output=True)
    return signed
