"""Guards over the cluster as a whole, each way they can end."""

from pathlib import Path

import pytest

from atlasdb_recovery.cassandra.ports import NodeClock
from atlasdb_recovery.practice.simulated import CommandFault, Dialect
from atlasdb_recovery.procedure.guards.cluster_guards import (
    ClocksClose,
    ClusterIdentityUnchanged,
    EveryNodeUp,
    OneSchemaVersion,
    PartitionerSupported,
)
from tests.procedure.guards.scene import (
    FIRST,
    SECOND,
    THIRD,
    Scene,
    assert_blocked,
    assert_passed,
    assert_unknown,
    assert_warned,
)


class TestClusterIdentityUnchanged:
    async def test_it_is_pinned_when_the_session_begins_and_the_same_afterwards(self, restored: Scene) -> None:
        assert_passed(await restored.check(ClusterIdentityUnchanged()), "practice", "3 nodes", "as at the beginning")

    async def test_a_new_session_has_nothing_to_compare_with_but_the_backup(self, lost: Scene) -> None:
        assert_passed(await lost.check(ClusterIdentityUnchanged()), "pinned when the session begins")

    async def test_another_cluster_than_the_backups_is_shown_and_not_refused(self, lost: Scene) -> None:
        for address in (FIRST, SECOND, THIRD):
            lost.cluster.replace_node(address)
        lost.cluster.name = "after the fire"
        result = await lost.check(ClusterIdentityUnchanged())
        assert_warned(result, "after the fire", "practice, 3 nodes, 0 of which", remedy="check cql.contact_points")

    async def test_another_machine_under_an_address_is_named(self, restored: Scene) -> None:
        before = restored.cluster.nodes[SECOND].host_id
        restored.cluster.replace_node(SECOND)
        after = restored.cluster.nodes[SECOND].host_id
        result = await restored.check(ClusterIdentityUnchanged())
        assert_blocked(result, f"{SECOND} was host {before}, is host {after}", remedy="Start a new session")
        assert THIRD not in result.evidence

    async def test_a_node_gone_and_a_node_more(self, restored: Scene) -> None:
        node = restored.cluster.nodes.pop(THIRD)
        gone = await restored.check(ClusterIdentityUnchanged())
        assert_blocked(gone, f"{THIRD} was host {node.host_id}, is no node", remedy="Start a new session")
        restored.cluster.nodes[THIRD] = node
        then = restored.context.state.fact("cluster-identity")
        del then["nodes"][node.host_id]
        more = await restored.check(ClusterIdentityUnchanged())
        assert_blocked(more, f"{THIRD} was no node of this cluster, is host", remedy="Start a new session")

    async def test_another_cluster_name_partitioner_or_token(self, restored: Scene) -> None:
        restored.cluster.name = "staging"
        restored.cluster.partitioner = "org.apache.cassandra.dht.Murmur3Partitioner"
        restored.place(THIRD, tokens=(b"\xbb",))
        result = await restored.check(ClusterIdentityUnchanged())
        assert_blocked(
            result,
            "cluster_name was practice, is staging",
            "Murmur3",
            f"tokens of {THIRD}",
            remedy="the settings point",
        )


class TestEveryNodeUp:
    async def test_all_up_and_normal_from_two_nodes(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.lost(dialect, tmp_path)
        assert_passed(await scene.check(EveryNodeUp()), "3 of 3", f"seen from {FIRST} and {SECOND}")

    @pytest.mark.parametrize("down", [FIRST, SECOND, THIRD])
    async def test_a_node_that_is_down_is_named_whichever_it_is(
        self, dialect: Dialect, tmp_path: Path, down: str
    ) -> None:
        scene = await Scene.lost(dialect, tmp_path)
        scene.cluster.stop_node(down)
        result = await scene.check(EveryNodeUp())
        assert_blocked(result, f"{down} does not answer CQL", f"{down} is down (state N)", remedy="Start the node")

    async def test_seen_differently_from_the_second_node(self, lost: Scene) -> None:
        output = await lost.context.nodetool.run(SECOND, "status")
        third = lost.cluster.nodes[THIRD].host_id
        joining = tuple(line.text.replace("UN", "UJ") if third in line.text else line.text for line in output.lines)
        lost.cluster.faults.commands.append(CommandFault(("status",), SECOND, 0, joining))
        result = await lost.check(EveryNodeUp())
        assert_blocked(result, f"{THIRD} is up but not normal (state J), seen from {SECOND}", remedy="nodetool status")
        assert FIRST not in result.evidence

    async def test_a_node_that_only_one_side_knows(self, lost: Scene) -> None:
        output = await lost.context.nodetool.run(FIRST, "status")
        third = lost.cluster.nodes[THIRD].host_id
        stranger = "00000000-0000-4000-8000-000000000001"
        lines = tuple(line.text.replace(third, stranger) for line in output.lines)
        lost.cluster.faults.commands.append(CommandFault(("status",), FIRST, 0, lines))
        result = await lost.check(EveryNodeUp())
        assert_blocked(
            result, f"host {third} is not in the status of {FIRST}", f"host {stranger} is known only", remedy="Start"
        )

    async def test_an_answer_that_cannot_be_read_is_no_pass(self, lost: Scene) -> None:
        lost.cluster.faults.commands.append(CommandFault(("status",), SECOND, 0, ("Picked up JAVA_TOOL_OPTIONS",)))
        assert_unknown(await lost.check(EveryNodeUp()), "nodetool status", remedy="nodetool status")

    async def test_a_nodetool_that_hangs_is_no_pass(self, lost: Scene) -> None:
        lost.cluster.faults.commands.append(CommandFault(("status",), SECOND, hangs=True))
        assert_unknown(await lost.check(EveryNodeUp()), SECOND, "did not end in time", remedy="Start the node")


class TestOneSchemaVersion:
    async def test_one_version(self, lost: Scene) -> None:
        assert_passed(await lost.check(OneSchemaVersion()), lost.cluster.schema_version, "3 nodes")

    async def test_a_node_that_differs_is_named(self, lost: Scene) -> None:
        lost.cluster.disagree_on_schema(THIRD)
        own = lost.cluster.nodes[THIRD].own_schema_version
        result = await lost.check(OneSchemaVersion())
        assert_blocked(result, f"{THIRD} has {own}", f"{FIRST} has", remedy="nodetool describecluster")

    async def test_a_node_that_names_none_is_unknown_not_agreed(self, lost: Scene) -> None:
        lost.cluster.schema_version_of = lambda node: ""  # type: ignore[method-assign]
        assert_unknown(await lost.check(OneSchemaVersion()), FIRST, "names no schema version", remedy="Wait")

    async def test_a_node_that_does_not_answer_is_unknown(self, lost: Scene) -> None:
        lost.cluster.stop_node(THIRD)
        assert_unknown(await lost.check(OneSchemaVersion()), THIRD, remedy="Wait")


class TestPartitionerSupported:
    @pytest.mark.parametrize(
        "partitioner",
        [
            "org.apache.cassandra.dht.ByteOrderedPartitioner",
            "com.palantir.atlasdb.keyvalue.cassandra.dht.AtlasDbPartitioner",
            "com.palantir.atlasdb.keyvalue.cassandra.dht.AtlasDbOrderedPartitioner",
        ],
    )
    async def test_those_that_atlasdb_runs_on(self, alive: Scene, partitioner: str) -> None:
        alive.cluster.partitioner = partitioner
        assert_passed(await alive.check(PartitionerSupported()), partitioner)

    @pytest.mark.parametrize("name", ["Murmur3Partitioner", "RandomPartitioner"])
    async def test_those_that_atlasdb_accepts_only_when_told_to(self, alive: Scene, name: str) -> None:
        alive.cluster.partitioner = f"org.apache.cassandra.dht.{name}"
        result = await alive.check(PartitionerSupported())
        assert_warned(result, name, "ignorePartitionerChecks", remedy="really ran on such a cluster")

    @pytest.mark.parametrize("name", ["org.apache.cassandra.dht.LocalPartitioner", ""])
    async def test_any_other_is_refused(self, alive: Scene, name: str) -> None:
        alive.cluster.partitioner = name
        assert_blocked(await alive.check(PartitionerSupported()), name, "not known", remedy="byte-ordered cluster")

    async def test_another_than_the_backups_is_refused(self, lost: Scene) -> None:
        lost.cluster.partitioner = "org.apache.cassandra.dht.Murmur3Partitioner"
        result = await lost.check(PartitionerSupported())
        assert_blocked(result, "ByteOrderedPartitioner", "Murmur3Partitioner", remedy="the settings name the right one")


class TestClocksClose:
    async def test_together(self, lost: Scene) -> None:
        assert_passed(await lost.check(ClocksClose()), "0.000 s apart")

    async def test_less_than_a_second_apart_passes_and_is_shown(self, lost: Scene) -> None:
        lost.cluster.nodes[SECOND].skew = 0.9
        assert_passed(await lost.check(ClocksClose()), "0.900 s apart", f"{SECOND} is furthest ahead")

    @pytest.mark.parametrize(("skew", "end"), [(1.1, "ahead"), (-1.1, "behind")])
    async def test_a_second_apart_warns_and_names_who(self, lost: Scene, skew: float, end: str) -> None:
        lost.cluster.nodes[SECOND].skew = skew
        assert_warned(await lost.check(ClocksClose()), "1.100 s apart", f"{SECOND} ", f"furthest {end}", remedy="ntp")

    async def test_ten_seconds_apart_refuses(self, lost: Scene) -> None:
        lost.cluster.nodes[THIRD].skew = 10.1
        result = await lost.check(ClocksClose())
        assert_blocked(result, "10.100 s apart", f"{THIRD} is furthest ahead", remedy="Bring the clocks together (ntp)")

    async def test_an_answer_too_slow_to_tell_is_unknown(self, lost: Scene) -> None:
        async def slow(address: str) -> NodeClock:
            return NodeClock(node=address, offset=0.0, uncertainty=30.0)

        lost.cluster.clock = slow  # type: ignore[method-assign]
        assert_unknown(await lost.check(ClocksClose()), "give or take 60.000 s", remedy="too slowly")
