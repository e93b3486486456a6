"""AtlasDB's Java command line as a timestamp service: what it was recorded to say, and what is believed of it."""

import asyncio
import sys
from pathlib import Path
from typing import cast
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION, encode
from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.timestamps.atlas_cli import AtlasCliTimestamps
from atlasdb_recovery.timestamps.atlas_cli_program import AtlasCli, Ran
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.service import TimestampServiceRefused, TimestampServiceUnavailable
from tests.timestamps import recorded_atlas_cli
from tests.timestamps.recorded_atlas_cli import PACKED
from tests.timestamps.test_bound_store import Position, StoredBound

LOW = 10_000
FETCHED = 15_010_379
"""What run 22 fetched, and wrote to its file."""


def transcript(number: str) -> str:
    with ZipFile(PACKED) as packed:
        [name] = [name for name in packed.namelist() if name.startswith(number)]
        return packed.read(name).decode()


class Recording:
    """A stored bound, and the program that replays one transcript beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.connected = ""
        (directory / "bound").write_text(str(LOW))

    def replays(self, number: str, *, written: int | None = None, moved: int | None = None) -> None:
        """`written` to its file, and the bound `moved`, whatever it says."""
        (self.directory / "transcript.txt").write_text(transcript(number))
        for name, value in (("written", written), ("moved", moved)):
            if value is not None:
                (self.directory / name).write_text(str(value))

    async def nobody(self) -> None:
        if self.connected:
            raise TimestampServiceRefused(self.connected)

    @property
    def timestamps(self) -> AtlasCliTimestamps:
        recording = self

        class InAFile(StoredBound):
            @property
            def cells(self) -> dict[Position, bytes]:
                return {BOUND_POSITION: encode(int((recording.directory / "bound").read_text()))}

            @cells.setter
            def cells(self, cells: dict[Position, bytes]) -> None:
                assert not cells

        embedded = EmbeddedTimestamps(cast(Cluster, InAFile()), "shop", self.nobody)

        async def known() -> int:
            bound = await embedded.bound()
            await self.nobody()
            return bound or 0

        program = (sys.executable, recorded_atlas_cli.__file__, str(self.directory))
        cli = AtlasCli(program, ("-c", "install.yml"), {"hush-hush"}, ends_within=20.0)
        return AtlasCliTimestamps(cli, known, embedded)

    def asked(self) -> list[str]:
        path = self.directory / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


class TestFetch:
    async def test_it_is_the_number_that_was_printed_and_written_below_a_bound_that_moved(
        self, recording: Recording
    ) -> None:
        recording.replays("22", written=FETCHED, moved=FETCHED + 1_000_000)
        assert await recording.timestamps.fresh_timestamp() == FETCHED
        [asked] = recording.asked()
        assert asked.startswith("--offline -c install.yml timestamp -f ")
        assert asked.endswith(" fetch")

    @pytest.mark.parametrize(
        ("written", "moved", "said"),
        [
            (FETCHED, None, rf"fetched {FETCHED}, but .* reads {LOW} afterwards: it was another one that it raised"),
            (FETCHED, FETCHED - 1, "it was another one that it raised"),
            (FETCHED + 1, FETCHED + 1_000_000, rf"it printed \[{FETCHED}\] and wrote {FETCHED + 1}"),
            (None, FETCHED + 1_000_000, "its file cannot be read"),
        ],
    )
    async def test_success_that_is_not_read_back_is_none(
        self, recording: Recording, written: int | None, moved: int | None, said: str
    ) -> None:
        recording.replays("22", written=written, moved=moved)
        with pytest.raises(TimestampServiceRefused, match=said):
            await recording.timestamps.fresh_timestamp()

    async def test_a_number_that_is_not_above_the_bound_is_another_keyspaces(self, recording: Recording) -> None:
        recording.replays("22", written=FETCHED)
        (recording.directory / "bound").write_text(str(FETCHED))
        with pytest.raises(TimestampServiceRefused, match="these are another keyspace's"):
            await recording.timestamps.fresh_timestamp()

    @pytest.mark.parametrize(
        ("number", "said"),
        [
            ("12", "exit 1: Exception encountered when running CLI: .*Failed to load the atlasdb config"),
            ("54", "exit 1: Exception encountered when running CLI: .*long overflow"),
            ("61", "exit 1: Exception encountered when running CLI: .*without a timelock block"),
        ],
    )
    async def test_what_java_complains_of_is_told(self, recording: Recording, number: str, said: str) -> None:
        recording.replays(number)
        with pytest.raises(TimestampServiceUnavailable, match=said):
            await recording.timestamps.fresh_timestamp()

    async def test_beside_a_running_service_it_is_not_run(self, recording: Recording) -> None:
        """Run 80: beside one it printed 1010002, exit 0, and the service went on below it."""
        recording.replays("80", written=1_010_002, moved=2_010_002)
        recording.connected = "10.0.0.7 is connected"
        with pytest.raises(TimestampServiceRefused, match=r"10\.0\.0\.7 is connected"):
            await recording.timestamps.fresh_timestamp()
        with pytest.raises(TimestampServiceRefused, match=r"10\.0\.0\.7 is connected"):
            await recording.timestamps.fast_forward(50_000_000)
        assert recording.asked() == []


class TestFastForward:
    async def test_it_is_done_when_the_bound_is_there(self, recording: Recording) -> None:
        recording.replays("40", moved=51_000_000)
        done = await recording.timestamps.fast_forward(50_000_000)
        assert (done.before, done.reached, done.changed) == (LOW, 51_000_000, True)
        assert recording.asked() == ["--offline -c install.yml timestamp -t 50000000 fast-forward"]

    async def test_printed_success_that_moved_nothing_is_refused(self, recording: Recording) -> None:
        recording.replays("40")
        with pytest.raises(TimestampServiceRefused, match=r"\(exit 0\), 10000 was read back.*Do not start the service"):
            await recording.timestamps.fast_forward(50_000_000)

    async def test_a_bound_that_is_there_already_runs_nothing(self, recording: Recording) -> None:
        """Run 42: to the past it prints success, and does nothing."""
        recording.replays("42")
        done = await recording.timestamps.fast_forward(10)
        assert (done.reached, done.changed) == (LOW, False)
        assert recording.timestamps.writes_to_fast_forward(10, LOW) == ()
        assert recording.asked() == []

    async def test_a_failed_run_that_did_it_did_it(self, recording: Recording) -> None:
        recording.replays("62", moved=6_000_000)
        assert (await recording.timestamps.fast_forward(5_000_000)).reached == 6_000_000

    async def test_nothing_is_run_near_the_highest_timestamp(self, recording: Recording) -> None:
        """Runs 52 and 53: an overflow, or a success after which no fetch ever works again."""
        recording.replays("53", moved=2**63 - 1)
        with pytest.raises(TimestampServiceRefused, match="within 10000000 of the highest timestamp"):
            await recording.timestamps.fast_forward(9_223_372_036_852_775_807)
        assert recording.asked() == []


class TestProgram:
    async def test_help_asks_nothing_of_any_service(self, recording: Recording) -> None:
        recording.replays("02")
        assert "can be run" in await recording.timestamps.ping()
        assert recording.asked() == ["help"]

    async def test_something_else_under_its_name(self, recording: Recording) -> None:
        recording.replays("03")
        with pytest.raises(TimestampServiceUnavailable, match=r"exit 1.*Check `timestamps\.command`"):
            await recording.timestamps.ping()

    async def test_one_that_hangs_is_ended(self, recording: Recording) -> None:
        program = (sys.executable, recorded_atlas_cli.__file__, str(recording.directory))
        with pytest.raises(TimestampServiceUnavailable, match="had not ended after 1 seconds, and was stopped"):
            await AtlasCli(program, (), ends_within=1.0).timestamp("fetch")

    async def test_secrets_are_masked(self, tmp_path: Path) -> None:
        script = tmp_path / "atlasdb.py"
        script.write_text("import sys; sys.stderr.write('password=hush-hush\\n'); sys.exit(1)")
        timestamps = AtlasCliTimestamps(AtlasCli((sys.executable, str(script)), (), {"hush-hush"}), nothing_known)
        with pytest.raises(TimestampServiceUnavailable, match=r"exit 1: password=\*\*\*"):
            await timestamps.ping()

    async def test_one_that_is_not_there(self) -> None:
        with pytest.raises(TimestampServiceUnavailable, match="no command `/none/atlasdb`"):
            await AtlasCli(("/none/atlasdb",), ()).help()


async def nothing_known() -> int:
    return 0


class Lying(AtlasCli):
    """Hands out the timestamps of a service, and does or says something else where `lies` have it so."""

    def __init__(self, bounds: dict[str, int], lies: list[str]) -> None:
        super().__init__(("atlasdb",), ())
        self.bounds, self.lies = bounds, lies
        self.really = 0
        """The last timestamp that the right service has handed out, or was moved to."""

    async def timestamp(self, *words: str) -> Ran:
        lie = self.lies.pop(0) if self.lies else ""
        service = "wrong" if lie == "another service" else "right"
        code = 1 if lie == "fails" else 0
        if words[-1] == "fetch":
            fresh = self.bounds[service] + 1
            if lie != "changes nothing":
                self.bounds[service] += 1_000_001
            if code == 0:
                timestamp_file.write(Path(words[1]), fresh + (lie == "writes another"))
            return Ran(code, (f"The fresh timestamp is: {fresh}",), "")
        target = int(words[1])
        if lie != "changes nothing" and self.bounds[service] < target:
            self.bounds[service] = target + 1_000_000
        return Ran(code, (f"Timestamp successfully fast-forwarded to {target}",), "")


LIES = st.sampled_from(["", "", "", "another service", "changes nothing", "writes another", "fails"])


@settings(deadline=None)
@given(
    lies=st.lists(LIES, max_size=12),
    right=st.integers(LOW, 10**9),
    wrong=st.integers(LOW, 10**9),
    calls=st.lists(st.one_of(st.none(), st.integers(1, 2 * 10**9)), max_size=8),
)
def test_whatever_it_says_what_is_believed_is_true(
    lies: list[str], right: int, wrong: int, calls: list[int | None]
) -> None:
    """Of an embedded bound, which can be seen: no timestamp twice, and after a fast-forward none up to its target."""
    bounds = {"right": right, "wrong": wrong}
    cli = Lying(bounds, list(lies))

    class Seen(StoredBound):
        @property
        def cells(self) -> dict[Position, bytes]:
            return {BOUND_POSITION: encode(bounds["right"])}

        @cells.setter
        def cells(self, cells: dict[Position, bytes]) -> None:
            assert not cells

    async def nobody() -> None:
        return None

    embedded = EmbeddedTimestamps(cast(Cluster, Seen()), "shop", nobody)

    async def known() -> int:
        return await embedded.bound() or 0

    async def run() -> None:
        timestamps = AtlasCliTimestamps(cli, known, embedded)
        for target in calls:
            before = bounds["right"]
            try:
                if target is None:
                    fresh = await timestamps.fresh_timestamp()
                    assert before < fresh <= bounds["right"]
                else:
                    done = await timestamps.fast_forward(target)
                    assert done.reached == bounds["right"] >= target
            except (TimestampServiceRefused, TimestampServiceUnavailable):
                assert bounds["right"] >= before

    asyncio.run(run())


@settings(deadline=None)
@given(lies=st.lists(LIES, max_size=12), calls=st.lists(st.one_of(st.none(), st.integers(1, 2 * 10**9)), max_size=8))
def test_on_timelock_the_next_timestamp_decides(lies: list[str], calls: list[int | None]) -> None:
    bounds = {"right": LOW, "wrong": 0}

    async def known() -> int:
        return LOW

    async def run() -> None:
        timestamps, highest = AtlasCliTimestamps(Lying(bounds, list(lies)), known), LOW
        for target in calls:
            try:
                if target is None:
                    fresh = await timestamps.fresh_timestamp()
                    assert fresh > highest
                    highest = fresh
                else:
                    done = await timestamps.fast_forward(target)
                    assert done.reached > max(target, highest)
                    highest = done.reached
            except (TimestampServiceRefused, TimestampServiceUnavailable):
                continue

    asyncio.run(run())
