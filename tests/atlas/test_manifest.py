"""The backup's manifest: it comes back as it was, and no edit, loss or contradiction goes unnoticed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest as manifests
from atlasdb_recovery.atlas.coordination import SchemaMap, SchemaRange
from atlasdb_recovery.atlas.manifest import MANIFEST_NAME, BackedUpNode, BackedUpTable, MalformedManifest, Manifest

SAMPLE = Manifest(
    tool_version="0.1.0",
    session="backup-orders-1",
    created="2026-11-23T03:00:00+00:00",
    keyspace="Orders-1",
    backup_timestamp=9_007_199_254_740_993,
    fast_forward_timestamp=9_223_372_036_844_775_807,
    timestamp_service="embedded, keyspace Orders-1",
    cluster_name="prod “east”",
    partitioner="org.apache.cassandra.dht.ByteOrderedPartitioner",
    release_versions={"127.0.0.1": "2.2.18"},
    nodes=(BackedUpNode(address="127.0.0.1", host_id="aa", data_center="dc1", rack="r1", tokens=("00", "80")),),
    replication={"class": "NetworkTopologyStrategy", "dc1": "3"},
    durable_writes=True,
    keyspace_cql="CREATE KEYSPACE …",
    tables=(
        BackedUpTable(name="_transactions", id="6318da1a-bffa-3c03-b48b-3f72c1fe6e05", cql="CREATE …"),
        BackedUpTable(name="ns__t", id="6318da1a-bffa-3c03-b48b-3f72c1fe6e06", cql="CREATE …", bytes=2**60, files=4),
    ),
    schema_map=SchemaMap((SchemaRange(1, 5010013, 1), SchemaRange(5010013, None, 3)), 15010377),
    bound_at_backup=None,
    store={"method": "snapshot", "tag": "b1", "seconds": 1.5, "digests": {"a": "b"}},
    sweep={"tables": []},
)


def path_in(directory: Path) -> Path:
    return directory / MANIFEST_NAME


def written_again(directory: Path, **changes: Any) -> None:
    """The manifest with these values, and with a seal that fits them."""
    content = json.loads(path_in(directory).read_text()) | changes
    del content["seal"]
    seal = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
    path_in(directory).write_text(json.dumps(content | {"seal": seal}))


def test_it_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = manifests.save(SAMPLE, tmp_path / "deep" / "er")
    loaded = manifests.load(tmp_path / "deep" / "er")
    assert loaded == saved
    assert loaded == msgspec.structs.replace(SAMPLE, seal=saved.seal)
    assert len(saved.seal) == 64
    assert [entry.name for entry in (tmp_path / "deep" / "er").iterdir()] == [MANIFEST_NAME]


def test_saving_what_was_loaded_changes_nothing(tmp_path: Path) -> None:
    manifests.save(SAMPLE, tmp_path)
    before = path_in(tmp_path).read_bytes()
    loaded = manifests.load(tmp_path)
    assert loaded is not None
    manifests.save(loaded, tmp_path)
    assert path_in(tmp_path).read_bytes() == before
    assert before.startswith(b'{\n  "format": 1,\n')


def test_a_directory_without_one_has_none(tmp_path: Path) -> None:
    assert manifests.load(tmp_path) is None
    assert manifests.load(tmp_path / "absent") is None


def test_layout_and_order_do_not_matter_but_content_does(tmp_path: Path) -> None:
    saved = manifests.save(SAMPLE, tmp_path)
    content = json.loads(path_in(tmp_path).read_text())
    path_in(tmp_path).write_text(json.dumps(content, sort_keys=True))
    assert manifests.load(tmp_path) == saved
    path_in(tmp_path).write_text(json.dumps(content | {"note": "added"}))
    with pytest.raises(MalformedManifest, match="does not match its seal"):
        manifests.load(tmp_path)


@pytest.mark.parametrize("field", [field for field in SAMPLE.__struct_fields__ if field != "format"])
def test_an_edit_of_any_field_is_noticed(tmp_path: Path, field: str) -> None:
    manifests.save(SAMPLE, tmp_path)
    content = json.loads(path_in(tmp_path).read_text())
    for change in (content | {field: "else"}, {name: value for name, value in content.items() if name != field}):
        path_in(tmp_path).write_text(json.dumps(change))
        with pytest.raises(
            MalformedManifest, match="does not match its seal: it was edited or damaged. Take"
        ) as refused:
            manifests.load(tmp_path)
        assert str(path_in(tmp_path)) in str(refused.value)


def test_a_truncated_file_is_noticed_wherever_it_ends(tmp_path: Path) -> None:
    manifests.save(SAMPLE, tmp_path)
    content = path_in(tmp_path).read_bytes().rstrip()
    for length in range(len(content)):
        path_in(tmp_path).write_bytes(content[:length])
        with pytest.raises(MalformedManifest, match="cut short or damaged"):
            manifests.load(tmp_path)


def test_every_flipped_bit_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    saved = manifests.save(SAMPLE, tmp_path)
    content = path_in(tmp_path).read_bytes()
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        path_in(tmp_path).write_bytes(damaged)
        try:
            loaded = manifests.load(tmp_path)
        except MalformedManifest:
            continue
        assert loaded == saved


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 9999])
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    path_in(tmp_path).write_bytes(content)
    with pytest.raises(MalformedManifest, match="Take the file from the backup again"):
        manifests.load(tmp_path)


@pytest.mark.parametrize("version", [2, 0, None, "1"])
def test_another_format_is_refused_before_anything_else(tmp_path: Path, version: Any) -> None:
    path_in(tmp_path).write_text(json.dumps({"format": version, "all": "else"}))
    with pytest.raises(MalformedManifest, match="only 1 is known. It was written by another version"):
        manifests.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"backup_timestamp": 0}, "backup_timestamp is 0; a timestamp is at least 1"),
        ({"backup_timestamp": -1}, "backup_timestamp is -1"),
        ({"fast_forward_timestamp": 9_007_199_254_740_993}, "is not above backup_timestamp"),
        ({"fast_forward_timestamp": 5}, "fast_forward_timestamp 5 is not above"),
        ({"backup_timestamp": "7"}, "Expected `int`, got `str`"),
        ({"schema_map": {"ranges": [{"lower": 2, "upper": None, "schema": 1}], "bound": 5}}, "says nothing of start"),
        ({"tables": [{"name": "t"}]}, "missing required field `id`"),
    ],
)
def test_a_sealed_contradiction_is_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    manifests.save(SAMPLE, tmp_path)
    written_again(tmp_path, **changes)
    with pytest.raises(MalformedManifest, match=f"{reason}.* This backup is not usable as it is"):
        manifests.load(tmp_path)


def test_one_that_contradicts_itself_is_not_made() -> None:
    with pytest.raises(ValueError, match="is not above backup_timestamp"):
        msgspec.structs.replace(SAMPLE, fast_forward_timestamp=SAMPLE.backup_timestamp)


def test_one_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    path_in(tmp_path).mkdir()
    with pytest.raises(MalformedManifest, match="Is a directory. Check the path"):
        manifests.load(tmp_path)
