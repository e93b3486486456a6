"""What a backup says about itself, in one sealed file beside its two timestamp files.

A restore trusts it for what the store no longer tells: the tables, the schema map as it was valid, B and F.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.atlas import file_content
from atlasdb_recovery.atlas.coordination import SchemaMap
from atlasdb_recovery.foreign import plain

MANIFEST_NAME = "atlasdb-recovery-manifest.json"
FORMAT = 1

_SEAL = "seal"


class MalformedManifest(ValueError):
    """The manifest cannot be trusted. Names the file, what is wrong and the remedy."""


class BackedUpNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the cluster that was backed up."""

    address: str
    host_id: str
    data_center: str
    rack: str
    tokens: tuple[str, ...]


class BackedUpTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table as it was: its id, runnable CQL without the id; size and number of files where the method knows them."""

    name: str
    id: str
    cql: str
    bytes: int | None = None
    files: int | None = None


class BackedUpTimeLock(msgspec.Struct, frozen=True, kw_only=True):
    """TimeLock's namespace, and I: the immutable timestamp, locked from before B until after F.

    None where nothing was locked, because TimeLock was asked through AtlasDB's command line.
    """

    namespace: str
    immutable_timestamp: int | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup of one keyspace between B = `backup_timestamp` and F = `fast_forward_timestamp`.

    `created` is ISO 8601 in UTC. `schema_map` is None only where it could not be read. `store` holds the method and
    what it needs to know again; `sweep` how far sweep had come, None where that is not known.
    `timelock` is None where the timestamps came from another service. `seal` is set by `save`.
    """

    format: int = FORMAT
    tool_version: str
    session: str
    created: str
    keyspace: str
    backup_timestamp: int
    fast_forward_timestamp: int
    timestamp_service: str
    cluster_name: str
    partitioner: str
    release_versions: dict[str, str]
    nodes: tuple[BackedUpNode, ...]
    replication: dict[str, str]
    durable_writes: bool
    keyspace_cql: str
    tables: tuple[BackedUpTable, ...]
    schema_map: SchemaMap | None
    bound_at_backup: int | None
    store: dict[str, Any]
    sweep: dict[str, Any] | None = None
    timelock: BackedUpTimeLock | None = None
    seal: str = ""

    def __post_init__(self) -> None:
        if self.backup_timestamp < 1:
            raise ValueError(f"backup_timestamp is {self.backup_timestamp}; a timestamp is at least 1")
        if self.fast_forward_timestamp <= self.backup_timestamp:
            raise ValueError(
                f"fast_forward_timestamp {self.fast_forward_timestamp} is not above "
                f"backup_timestamp {self.backup_timestamp}"
            )


def save(manifest: Manifest, directory: Path) -> Manifest:
    """Seal it and write it into the backup directory; the file is whole after a crash. Returns it with its seal."""
    content = msgspec.json.decode(msgspec.json.encode(manifest))
    content[_SEAL] = _seal_of(content)
    readable = msgspec.json.format(msgspec.json.encode(content), indent=2)
    file_content.replace(directory / MANIFEST_NAME, readable + b"\n")
    return msgspec.convert(content, Manifest)


def load(directory: Path) -> Manifest | None:
    """The directory's manifest, or None if it has none. Raises `MalformedManifest` if it cannot be trusted."""
    path = directory / MANIFEST_NAME
    content = _content(path)
    if content is None:
        return None
    if content.get("format") != FORMAT:
        raise _refusal(
            path,
            f"its format is {plain(repr(content.get('format')), 40)}, and only {FORMAT} is known",
            "It was written by another version of atlasdb-recovery; restore with that one, or a newer one.",
        )
    if content.get(_SEAL) != _seal_of(content):
        raise _refusal(
            path,
            "its content does not match its seal: it was edited or damaged",
            "Take the file from the backup again. Without a sound one, move it away: then the restore relies on the "
            "two timestamp files and asks for more.",
        )
    try:
        return msgspec.convert(content, Manifest)
    except msgspec.ValidationError as error:
        raise _refusal(path, plain(str(error), 300), "This backup is not usable as it is; use another one.") from None


def _content(path: Path) -> dict[str, Any] | None:
    try:
        content = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), "Check the path and its permissions.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(
            path, f"it is cut short or damaged ({plain(str(error), 200)})", "Take the file from the backup again."
        ) from None
    if not isinstance(content, dict):
        raise _refusal(path, "it holds no JSON object", "Take the file from the backup again.")
    return content


def _seal_of(content: dict[str, Any]) -> str:
    """SHA-256 over everything but the seal: compact JSON with sorted keys."""
    unsealed = {key: value for key, value in content.items() if key != _SEAL}
    return hashlib.sha256(msgspec.json.encode(unsealed, order="deterministic")).hexdigest()


def _refusal(path: Path, what: str, remedy: str) -> MalformedManifest:
    return MalformedManifest(f"backup manifest {plain(str(path))}: {what}. {remedy}")
