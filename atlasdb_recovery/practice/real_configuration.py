"""What a real practice node is started with: cassandra.yaml, rack file, logging, JVM flags; per version."""

from pathlib import Path

import msgspec
import yaml

from atlasdb_recovery.practice.real_addresses import NATIVE_PORT, STORAGE_PORT, THRIFT_PORT

MODULES_17 = (
    "java.lang.module jdk.internal.loader jdk.internal.ref jdk.internal.reflect jdk.internal.math jdk.internal.module "
    "jdk.internal.util.jar sun.nio.ch java.io java.nio java.util java.util.concurrent java.util.concurrent.atomic "
    "java.lang java.math java.lang.reflect java.net"
).split()
EXPORTS = (
    "java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry "
    "java.rmi/sun.rmi.server java.rmi/sun.rmi.transport.tcp java.sql/java.sql java.base/java.lang.ref "
    "jdk.unsupported/sun.misc"
).split()
EXPORTS_OLD = "sun.nio.ch java.io java.util java.util.concurrent java.lang java.nio".split()
LOGBACK = """<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>{log}</file><append>true</append>
    <encoder><pattern>%-5level [%thread] %date{{ISO8601}} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="FILE"/></root>
  <logger name="org.apache.cassandra.service.CassandraDaemon" level="WARN"/>
</configuration>
"""
PALANTIR = "2.2-palantir"


JVM = ("-Xms64M", "-Xmx512M", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""A heap that grows on demand: three idle nodes take half the memory that they would with a fixed one."""


class NodePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One node before it is started. `token` is hex."""

    version: str
    directory: Path
    address: str
    jmx_port: int
    token: str
    seed: str
    data_center: str

    @property
    def data_directory(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "system.log"

    @property
    def private_flags(self) -> list[str]:
        """Keep the JVM's own files (native libraries, performance data, caches) out of /tmp and the home directory."""
        scratch = self.directory / "scratch"
        return [f"-Djava.io.tmpdir={scratch}", f"-Duser.home={scratch}", "-XX:-UsePerfData"]


def opens() -> list[str]:
    """What Cassandra needs of a modular Java's inside."""
    found = [f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS]
    found += [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in MODULES_17]
    return [*found, "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED"]


def write_configuration(plan: NodePlan) -> None:
    """Everything that a node reads at its start."""
    conf = plan.directory / "conf"
    conf.mkdir(parents=True)
    plan.data_directory.mkdir()
    (plan.directory / "scratch").mkdir()
    (conf / "cassandra.yaml").write_text(yaml.safe_dump(_cassandra_yaml(plan)))
    (conf / "cassandra-rackdc.properties").write_text(f"dc={plan.data_center}\nrack=rack1\n")
    (conf / "logback.xml").write_text(LOGBACK.format(log=plan.log))


def daemon_command(plan: NodePlan, java: str, jars: Path) -> list[str]:
    """The argument vector of one node."""
    conf = plan.directory / "conf"
    flags = opens()
    if plan.version == PALANTIR:
        flags += [f"--add-exports=java.base/{name}=ALL-UNNAMED" for name in EXPORTS_OLD]
        flags += ["-Djdk.attach.allowAttachSelf=true", "-Djava.net.preferIPv4Stack=true"]
        flags += [f"-javaagent:{jars / 'jamm-0.3.0.jar'}"]
    else:
        flags += ["-Djava.security.manager=allow"]
    return [
        java,
        *flags,
        *plan.private_flags,
        *JVM,
        f"-Dcassandra.jmx.local.port={plan.jmx_port}",
        "-Dcassandra.ring_delay_ms=1000",
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        f"-Dcassandra.storagedir={plan.directory}",
        f"-Dcassandra.logdir={plan.directory}",
        f"-Dcassandra.config={(conf / 'cassandra.yaml').as_uri()}",
        f"-Dlogback.configurationFile={conf}/logback.xml",
        "-Djava.rmi.server.hostname=127.0.0.1",
        *("-cp", f"{conf}:{jars}/*", "org.apache.cassandra.service.CassandraDaemon"),
    ]


def _cassandra_yaml(plan: NodePlan) -> dict[str, object]:
    directory = str(plan.directory)
    common: dict[str, object] = {
        "cluster_name": f"practice-{plan.version}",
        "partitioner": "org.apache.cassandra.dht.ByteOrderedPartitioner",
        "num_tokens": 1,
        "initial_token": plan.token,
        "listen_address": plan.address,
        "rpc_address": plan.address,
        "endpoint_snitch": "GossipingPropertyFileSnitch",
        "dynamic_snitch": False,
        "hinted_handoff_enabled": False,
        "auto_snapshot": False,  # a practice drop is meant: no copy of every table dropped or truncated
        "auto_bootstrap": False,
        "data_file_directories": [str(plan.data_directory)],
        "commitlog_directory": f"{directory}/commitlog",
        "saved_caches_directory": f"{directory}/saved_caches",
        "seed_provider": [
            {
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": plan.seed}],
            }
        ],
        "commitlog_sync": "periodic",
        "authenticator": "AllowAllAuthenticator",
        "start_native_transport": True,
        "storage_port": STORAGE_PORT,
        "native_transport_port": NATIVE_PORT,
    }
    return common | (_old(directory) if plan.version == PALANTIR else _modern(directory))


def _modern(directory: str) -> dict[str, object]:
    return {
        "commitlog_sync_period": "1000ms",
        "memtable_heap_space": "64MiB",
        "memtable_offheap_space": "64MiB",
        "hints_directory": f"{directory}/hints",
        "cdc_raw_directory": f"{directory}/cdc_raw",
        "commitlog_segment_size": "8MiB",
        "read_request_timeout": "20s",
        "range_request_timeout": "30s",
        "write_request_timeout": "20s",
        "cas_contention_timeout": "10s",
    }


def _old(directory: str) -> dict[str, object]:
    return {
        "commitlog_sync_period_in_ms": 1000,
        "memtable_heap_space_in_mb": 64,
        "memtable_offheap_space_in_mb": 64,
        "commitlog_segment_size_in_mb": 8,
        "persistent_settings_directory": f"{directory}/settings",
        "start_rpc": True,
        "rpc_port": THRIFT_PORT,
        "read_request_timeout_in_ms": 20000,
        "range_request_timeout_in_ms": 30000,
        "write_request_timeout_in_ms": 20000,
        "cas_contention_timeout_in_ms": 10000,
    }
