"""What the operator of a real practice cluster would have written: `recovery.yml`, and the service's own YAML."""

from pathlib import Path

import yaml

from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_addresses import THRIFT_PORT


def example_settings(cluster: RealCluster, keyspace: str, backup_dir: Path) -> str:
    """A `recovery.yml` with store method `snapshot`. Beside it belong `<keyspace>.yml`, and what it writes."""
    return _text(
        {
            "config": f"{keyspace}.yml",
            "backup_dir": str(backup_dir),
            "nodetool": {
                "command": cluster.nodetool_command,
                "nodes": {address: dict(values) for address, values in cluster.nodetool_nodes.items()},
            },
            "store": {
                "method": "snapshot",
                "data_directories": {address: str(path) for address, path in cluster.data_directories.items()},
            },
            "state_dir": "state",
        }
    )


def service_yaml(cluster: RealCluster, keyspace: str) -> str:
    """A service's install file with embedded timestamps (`AtlasDbConfig`). The nodes take any credentials."""
    servers = {
        "type": "cqlCapable",
        "thriftHosts": [f"{address}:{THRIFT_PORT}" for address in cluster.addresses],
        "cqlHosts": [f"{address}:{cluster.native_port}" for address in cluster.addresses],
    }
    store = {
        "type": "cassandra",
        "servers": servers,
        "replicationFactor": len(cluster.addresses),
        "credentials": {"username": "cassandra", "password": "cassandra"},
        "ssl": False,
    }
    return _text({"atlasdb": {"namespace": keyspace, "keyValueService": store}})


def write_settings(cluster: RealCluster, keyspace: str, directory: Path) -> Path:
    """Both files, in this directory. Returns the path of `recovery.yml`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{keyspace}.yml").write_text(service_yaml(cluster, keyspace))
    settings = directory / "recovery.yml"
    settings.write_text(example_settings(cluster, keyspace, directory / "backup"))
    return settings


def _text(document: dict[str, object]) -> str:
    return yaml.safe_dump(document, sort_keys=False)
