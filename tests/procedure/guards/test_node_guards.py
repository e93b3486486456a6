"""Guards that ask each node through nodetool."""

from pathlib import Path

import pytest

from atlasdb_recovery.practice.simulated import CommandFault, Dialect, RepairFault
from atlasdb_recovery.procedure.facts import THRIFT_DISABLED
from atlasdb_recovery.procedure.guards.node_guards import (
    NodetoolAnswers,
    NodetoolStillReachesItsNode,
    NothingRunning,
    ThriftClosed,
    ThriftStaysClosed,
)
from tests.procedure.guards.scene import (
    FIRST,
    SECOND,
    THIRD,
    OneNodeForAll,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
    assert_warned,
)


class TestNodetoolStillReachesItsNode:
    async def test_each_answers_for_itself(self, lost: Scene) -> None:
        assert_passed(await lost.check(NodetoolStillReachesItsNode()), "3 of 3")

    async def test_one_node_cannot_stand_for_three(self, lost: Scene) -> None:
        lost.context.nodetool = OneNodeForAll(lost.context.nodetool)
        assert_blocked(
            await lost.check(NodetoolStillReachesItsNode()), f"nodetool for {SECOND} reaches host", remedy="{address}"
        )


class TestNodetoolAnswers:
    async def test_each_answers_for_itself(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.lost(dialect, tmp_path)
        assert_passed(await scene.check(NodetoolAnswers()), "3 of 3 nodes answer")

    async def test_one_node_cannot_stand_for_three(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.lost(dialect, tmp_path)
        scene.context.nodetool = OneNodeForAll(scene.context.nodetool)
        first, second = (scene.cluster.nodes[address].host_id for address in (FIRST, SECOND))
        result = await scene.check(NodetoolAnswers())
        assert_blocked(
            result, f"nodetool for {SECOND} reaches host {first}, but that node is {second}", remedy="{address}"
        )
        assert f"nodetool for {THIRD}" in result.evidence
        assert f"nodetool for {FIRST}" not in result.evidence

    async def test_a_node_that_does_not_answer_is_named_with_what_it_said(self, lost: Scene) -> None:
        said = ("error: Authentication failed! Credentials required",)
        lost.cluster.faults.commands.append(CommandFault(("info",), THIRD, 2, (), said))
        result = await lost.check(NodetoolAnswers())
        assert_blocked(result, f"{THIRD}: nodetool info ends with 2: {said[0]}", remedy="JMX must be reachable")
        assert SECOND not in result.evidence

    async def test_an_address_behind_which_another_host_answers(self, lost: Scene) -> None:
        known = lost.cluster.nodes[THIRD].host_id
        identity = await lost.cluster.identity()
        lost.cluster.replace_node(THIRD)

        async def as_gossip_knows_it() -> object:
            return identity

        lost.cluster.identity = as_gossip_knows_it  # type: ignore[method-assign, assignment]
        result = await lost.check(NodetoolAnswers())
        assert_blocked(result, THIRD, f"but the cluster knows it as {known}", remedy="nodetool.command")

    async def test_a_nodetool_that_cannot_assure_a_full_repair(self, lost: Scene) -> None:
        synopsis = (
            "NAME",
            "SYNOPSIS",
            "        nodetool repair [--partitioner-range] [--] [<keyspace>]",
            "OPTIONS",
            "x",
        )
        lost.cluster.faults.commands.append(CommandFault(("help",), SECOND, 0, synopsis))
        result = await lost.check(NodetoolAnswers())
        assert_blocked(result, f"{SECOND}: This nodetool's repair has neither --full", remedy="nodetool.command")

    async def test_output_that_is_not_nodetools_is_unknown(self, lost: Scene) -> None:
        lost.cluster.faults.commands.append(CommandFault(("info",), SECOND, 0, ("Last login: Mon Nov 23",)))
        assert_unknown(await lost.check(NodetoolAnswers()), "nodetool info", "Last login", remedy="nodetool.command")

    async def test_a_hanging_one_is_unknown(self, lost: Scene) -> None:
        lost.cluster.faults.commands.append(CommandFault(("info",), SECOND, hangs=True))
        assert_unknown(await lost.check(NodetoolAnswers()), SECOND, remedy="nodetool.command")


class TestNothingRunning:
    async def test_still_everywhere(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.restored(dialect, tmp_path)
        assert_passed(await scene.check(NothingRunning()), "nothing runs on 3 nodes")

    async def test_a_stream_is_seen_at_both_its_ends_and_then_over(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.restored(dialect, tmp_path)
        scene.cluster.start_stream(FIRST, THIRD, scene.keyspace, "_transactions", seconds=30)
        result = await scene.check(NothingRunning())
        assert_blocked(result, f"{FIRST}: stream: Repair", f"{THIRD}: stream: Repair", remedy="netstats is empty")
        assert SECOND not in result.evidence
        scene.cluster.wall.advance(31)
        assert_passed(await scene.check(NothingRunning()))

    async def test_a_repair_whose_nodetool_was_killed(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.restored(dialect, tmp_path)
        scene.cluster.faults.in_next_repair(SECOND, RepairFault(killed_after=1, goes_on_for=60))
        full = () if dialect is Dialect.PALANTIR else ("-full",)
        await scene.context.nodetool.run(SECOND, "repair", *full, "--", scene.keyspace, "_transactions")
        assert_blocked(
            await scene.check(NothingRunning()), f"{SECOND}: ", remedy="Wait until nodetool netstats is empty"
        )
        scene.cluster.wall.advance(61)
        assert_passed(await scene.check(NothingRunning()))

    async def test_a_validation_in_compactionstats(self, restored: Scene) -> None:
        validation = (
            "concurrent compactors            2",
            "pending tasks                    1",
            "id                                   compaction type keyspace table         completed total unit progress",
            "b1da2f70-c8ab-11f0-9c1f-5b6a6f6d5e01 Validation      shop     _transactions 100       400   bytes 25.00%",
        )
        restored.cluster.faults.commands.append(CommandFault(("compactionstats",), THIRD, 0, validation))
        result = await restored.check(NothingRunning())
        assert_blocked(result, f"{THIRD}: validation: shop._transactions, 100 of 400 bytes", remedy="Wait")

    async def test_a_node_that_cannot_be_asked_is_unknown(self, restored: Scene) -> None:
        restored.cluster.faults.commands.append(CommandFault(("netstats",), SECOND, 1, (), ("ConnectException",)))
        result = await restored.check(NothingRunning())
        assert_unknown(result, SECOND, "ConnectException", "is unknown", remedy="netstats")


class TestThriftClosed:
    async def test_5_has_none(self, lost: Scene) -> None:
        assert_not_applicable(await lost.check(ThriftClosed()), "no Thrift server")

    async def test_on_the_fork_switching_it_off_is_offered(self, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        scene.cluster.nodes[SECOND].thrift_active = False
        result = await scene.check(ThriftClosed())
        assert_warned(result, f"Thrift is on at {FIRST}, {THIRD}", remedy="Answer disable-thrift: true")

    async def test_switched_off_everywhere(self, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        for address in (FIRST, SECOND, THIRD):
            await scene.context.nodetool.run(address, "disablethrift")
        assert_passed(await scene.check(ThriftClosed()), "switched off on every node")

    async def test_a_node_that_cannot_be_asked_is_unknown(self, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        scene.cluster.stop_node(THIRD)
        assert_unknown(await scene.check(ThriftClosed()), "nodetool info", remedy="disablethrift")


class TestThriftStaysClosed:
    @pytest.mark.parametrize("closed", [None, []])
    async def test_a_session_that_did_not_close_it(self, closed: list[str] | None, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        if closed is not None:
            scene.establish(THRIFT_DISABLED, closed)
        assert_not_applicable(await scene.check(ThriftStaysClosed()))

    async def test_closed_and_still_so(self, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        for address in (FIRST, SECOND):
            await scene.context.nodetool.run(address, "disablethrift")
        scene.establish(THRIFT_DISABLED, [FIRST, SECOND])
        assert_passed(await scene.check(ThriftStaysClosed()), f"{FIRST}, {SECOND}")

    async def test_on_again_where_a_node_was_restarted(self, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        scene.establish(THRIFT_DISABLED, [FIRST, SECOND])
        await scene.context.nodetool.run(FIRST, "disablethrift")
        result = await scene.check(ThriftStaysClosed())
        assert_blocked(result, f"on again at {SECOND}", remedy="nodetool disablethrift")
        assert FIRST not in result.evidence
