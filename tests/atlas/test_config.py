"""The AtlasDB block of a service's YAML: every shape AtlasDB reads, and every refusal with its place and remedy."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.atlas import config
from atlasdb_recovery.atlas.config import AtlasConfig, ConfigurationError, HostPort, Instead
from atlasdb_recovery.atlas.tls_files import JKS, PKCS12, TlsFiles

THREE = ("cass-1", "cass-2", "cass-3")

EMBEDDED = """\
atlasdb:
  namespace: inventory
  keyValueService:
    type: cassandra
    servers: ["cass-1:9160", "cass-2:9160", "cass-3:9160"]
    replicationFactor: 3
    credentials: {username: atlas, password: secret}
    ssl: false
"""

TIMELOCK = """\
atlasdb:
  namespace: inventory
  keyValueService:
    type: cassandra
    servers:
      type: cqlCapable
      thriftHosts: ["cass-1:9160", "cass-2:9160", "cass-3:9160"]
      cqlHosts: ["cass-1:9042", "cass-2:9042", "cass-3:9042"]
    replicationFactor: 3
    credentials: {username: atlas, password: secret}
    sslConfiguration: {trustStorePath: var/security/ca.pem, trustStoreType: PEM}
  timelock:
    serversList:
      servers: ["https://tl-1:8421/timelock/api", "https://tl-2:8421/timelock/api/"]
      sslConfiguration: {trustStorePath: var/security/ca.pem}
"""

SPLIT_INSTALL = """\
install:
  atlas:
    namespace: inventory
    keyValueService:
      type: cassandra
      credentials: {username: atlas, password: PASSWORD}
    timelock: {serversList: {servers: ["https://old:8421"]}}
"""

SPLIT_RUNTIME = """\
runtime:
  atlas:
    keyValueService:
      type: cassandra
      servers: ["cass-1:9160"]
      replicationFactor: 1
    timelockRuntime:
      serversList:
        servers: ["https://tl-1:8421"]
        sslConfiguration: {trustStorePath: ca.jks}
"""

REMOTE = """\
atlas:
  keyValueService:
    type: cassandra
    keyspace: inventory
    servers: ["cass-1:9160"]
    replicationFactor: 1
    credentials: {username: atlas, password: secret}
  lock:      {servers: ["https://app-1:3828/inventory/api"]}
  timestamp: {servers: ["https://app-1:3828/inventory/api"]}
"""


def block(**changes: str) -> str:
    """A bare AtlasDB block; `store` adds lines to its keyValueService, `top` to the block, None removes a line."""
    lines = {
        "servers": 'servers: ["cass-1:9160"]',
        "credentials": "credentials: {username: atlas, password: secret}",
        "keyspace": "keyspace: inventory",
    }
    store = ["type: cassandra", *(changes.get(name, line) for name, line in lines.items()), changes.get("store", "")]
    indented = "".join(f"  {line}\n" for line in "\n".join(filter(None, store)).split("\n"))
    return f"{changes.get('top', '')}\nkeyValueService:\n{indented}"


def refusal(text: str, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config.parse(text, file="install.yml", **arguments)
    assert caught.value.remedy
    assert "secret" not in str(caught.value)
    return str(caught.value)


def written(directory: Path, text: str, name: str = "install.yml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def test_embedded_with_the_old_server_list(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, EMBEDDED)) == AtlasConfig(
        keyspace="inventory",
        thrift_hosts=tuple(HostPort(host, 9160) for host in THREE),
        username="atlas",
        password="secret",
        replication_factor=3,
        timestamp_authority="embedded",
        gc_grace_seconds=3600,
    )


def test_timelock_all_in_the_install_file(tmp_path: Path) -> None:
    read = config.load(written(tmp_path, TIMELOCK))
    assert read.thrift_hosts == tuple(HostPort(host, 9160) for host in THREE)
    assert read.cql_hosts == tuple(HostPort(host, 9042) for host in THREE)
    assert read.tls == TlsFiles(ca=Path("var/security/ca.pem"))
    assert (read.timestamp_authority, read.timelock_client) == ("timelock", "inventory")
    assert read.timestamp_servers == ("https://tl-1:8421/timelock/api", "https://tl-2:8421/timelock/api")


def test_install_and_runtime_under_other_roots(tmp_path: Path) -> None:
    install = written(tmp_path, SPLIT_INSTALL.replace("PASSWORD", "secret"))
    runtime = written(tmp_path, SPLIT_RUNTIME, "runtime.yml")
    read = config.load(install, "/install/atlas", runtime, "/runtime/atlas")
    assert (read.thrift_hosts, read.replication_factor) == ((HostPort("cass-1", 9160),), 1)
    assert read.timestamp_servers == ("https://tl-1:8421",), "the runtime file's list replaces the install file's"
    assert read.timestamp_tls is not None
    assert read.timestamp_tls.ca_type == JKS


def test_install_wins_for_cassandra_where_both_files_speak(tmp_path: Path) -> None:
    runtime = "atlasdb:\n  keyValueService: {type: cassandra, servers: ['other:9160'], replicationFactor: 1}\n"
    read = config.load(written(tmp_path, EMBEDDED), None, written(tmp_path, runtime, "runtime.yml"))
    assert (len(read.thrift_hosts), read.replication_factor) == (3, 3)


def test_runtime_may_bring_timelock_alone(tmp_path: Path) -> None:
    runtime = written(tmp_path, "atlas: {timelockRuntime: {serversList: {servers: ['https://t:1']}}}", "runtime.yml")
    read = config.load(written(tmp_path, EMBEDDED), None, runtime)
    assert (read.timestamp_authority, read.timestamp_servers) == ("timelock", ("https://t:1",))


def test_remote_services_under_the_legacy_root(tmp_path: Path) -> None:
    read = config.load(written(tmp_path, REMOTE))
    assert (read.timestamp_authority, read.keyspace) == ("remote", "inventory")
    assert read.timestamp_servers == ("https://app-1:3828/inventory/api",)
    assert read.timelock_client is None


def test_leader(tmp_path: Path) -> None:
    text = (
        REMOTE.partition("  lock:")[0]
        + "  leader: {quorumSize: 1, localServer: 'https://a:1/x', leaders: ['https://a:1/x']}"
    )
    read = config.load(written(tmp_path, text))
    assert (read.timestamp_authority, read.timestamp_servers) == ("leader", ("https://a:1/x",))


def test_form_of_2019() -> None:
    servers = "servers: {type: cqlCapable, hosts: [a, b], thriftPort: 9160, cqlPort: 9042}"
    read = config.parse(block(servers=servers))
    assert read.thrift_hosts == (HostPort("a", 9160), HostPort("b", 9160))
    assert read.cql_hosts == (HostPort("a", 9042), HostPort("b", 9042))


def test_default_form_and_addresses_of_every_kind() -> None:
    servers = "servers: {type: default, thriftHosts: ['[2001:db8::1]:9160', '10.0.0.1:9160', 'c_1.x-y.org:9160']}"
    hosts = config.parse(block(servers=servers)).thrift_hosts
    assert hosts == (HostPort("2001:db8::1", 9160), HostPort("10.0.0.1", 9160), HostPort("c_1.x-y.org", 9160))
    assert str(hosts[0]) == "[2001:db8::1]:9160"


def test_cql_hosts_other_than_thrift_hosts_count_as_not_configured_and_it_says_so() -> None:
    servers = "servers: {type: cqlCapable, thriftHosts: ['a:9160'], cqlHosts: ['b:9042']}"
    read = config.parse(block(servers=servers))
    assert (read.thrift_hosts, read.cql_hosts) == ((HostPort("a", 9160),), ())
    assert "other hosts under cqlHosts" in read.notes[0]


def test_address_translation_and_grace() -> None:
    store = "addressTranslation: {cass-1: '10.0.0.7:9161'}\ngcGraceSeconds: 86400"
    read = config.parse(block(store=store))
    assert read.address_translation == {"cass-1": HostPort("10.0.0.7", 9161)}
    assert read.gc_grace_seconds == 86400


@pytest.mark.parametrize("word", ["12345", "yes", "0x10", "1e3", "2026-01-01", "~x"])
def test_a_password_is_taken_as_it_is_written(word: str) -> None:
    assert config.parse(block(credentials=f"credentials: {{username: a, password: {word}}}")).password == word


def test_passwords_are_never_shown() -> None:
    read = config.parse(block())
    assert read.password == "secret"
    assert "secret" not in repr(read) + str(read) + f"{read}"
    assert "secret" not in repr(TlsFiles(password="secret"))


@pytest.mark.parametrize(
    ("store", "has_tls"),
    [
        ("", False),
        ("ssl: true", True),
        ("ssl: false", False),
        ("sslConfiguration: {trustStorePath: a.pem}", True),
        ("ssl: false\nsslConfiguration: {trustStorePath: a.pem}", False),
        ("ssl: false\nsslConfiguration: {trustStorePath: a.jks}", False),
        ("ssl: true\nsslConfiguration: {trust-store-path: a.pem}", True),
    ],
)
def test_ssl_beats_ssl_configuration(store: str, has_tls: bool) -> None:
    assert (config.parse(block(store=store)).tls is not None) == has_tls


def test_tls_files_under_either_spelling() -> None:
    store = (
        "enableEndpointVerification: true\n"
        "sslConfiguration: {trust-store-path: ca, trust-store-type: PEM, keyStorePath: me.p12, key-store-password: pw}"
    )
    assert config.parse(block(store=store)).tls == TlsFiles(
        ca=Path("ca"), certificate=Path("me.p12"), certificate_type=PKCS12, password="pw", verify_host=True
    )


def test_a_java_key_store_is_refused_with_the_lines_that_convert_it(tmp_path: Path) -> None:
    said = refusal(block(store="sslConfiguration: {trustStorePath: var/my certs/ca.jks}"))
    assert "var/my certs/ca.jks: this is a Java key store (JKS)" in said
    keytool = (
        "keytool -importkeystore -srckeystore 'var/my certs/ca.jks' -srcstoretype JKS"
        " -destkeystore 'var/my certs/ca.p12' -deststoretype PKCS12"
    )
    assert keytool in said
    assert "openssl pkcs12 -in 'var/my certs/ca.p12' -nokeys -out 'var/my certs/ca.pem'" in said
    assert "tls: {ca: 'var/my certs/ca.pem'}" in said
    both = refusal(block(store="sslConfiguration: {trustStorePath: ca.jks, keyStorePath: me.jks}"))
    assert "openssl pkcs12 -in ca.p12 -nokeys -out ca.pem" in both
    assert "openssl pkcs12 -in me.p12 -out me.pem" in both
    assert 'tls: {ca: ca.pem, certificate: me.pem, key_password: "${KEY_PASSWORD}"}' in both
    given = TlsFiles(ca=tmp_path / "ca.pem")
    text = block(store="sslConfiguration: {trustStorePath: var/ca.jks}")
    assert config.parse(text, instead=Instead(tls=given)).tls == given


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate as PEM and PKCS12, made by openssl."""
    where = tmp_path_factory.mktemp("stores")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2 -subj /CN=localhost"
    subprocess.run(make.split(), cwd=where, check=True, capture_output=True)
    export = "openssl pkcs12 -export -inkey key.pem -in ca.pem -out me.p12 -passout pass:opensesame"
    subprocess.run(export.split(), cwd=where, check=True, capture_output=True)
    (where / "both.pem").write_text((where / "ca.pem").read_text() + (where / "key.pem").read_text())
    return where


@pytest.mark.parametrize(("certificate", "key"), [("both.pem", None), ("ca.pem", "key.pem")])
def test_pem_makes_a_context(stores: Path, certificate: str, key: str | None) -> None:
    files = TlsFiles(ca=stores / "ca.pem", certificate=stores / certificate, key=stores / key if key else None)
    context = files.context()
    assert [ca["subject"] for ca in context.get_ca_certs()] == [((("commonName", "localhost"),),)]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)


def test_pkcs12_makes_a_context_and_a_wrong_password_is_named(stores: Path) -> None:
    p12 = stores / "me.p12"
    files = TlsFiles(ca=p12, ca_type=PKCS12, certificate=p12, certificate_type=PKCS12, password="opensesame")
    assert len(files.context().get_ca_certs()) == 1
    wrong = TlsFiles(ca=stores / "ca.pem", certificate=p12, certificate_type=PKCS12, password="mellon")
    with pytest.raises(ConfigurationError, match=r"me\.p12: openssl cannot open this PKCS12 store") as caught:
        wrong.context()
    assert "mellon" not in str(caught.value)


def test_a_pkcs12_store_declared_as_jks_is_opened_as_java_would(stores: Path) -> None:
    path = shutil.copy(stores / "me.p12", stores / "me.jks")
    read = config.parse(block(store=f"sslConfiguration: {{trustStorePath: {path}}}"))
    assert read.tls is not None
    assert read.tls.ca_type == PKCS12


def test_missing_and_empty_tls_files_are_named(stores: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.pem: this TLS file is not there"):
        TlsFiles(ca=stores / "absent.pem").context()
    (stores / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"empty\.pem: this holds no certificate"):
        TlsFiles(ca=stores / "empty.pem").context()
    with pytest.raises(ConfigurationError, match="the client certificate cannot be used"):
        TlsFiles(ca=stores / "ca.pem", certificate=stores / "empty.pem").context()


def test_encrypted_values_are_never_taken_for_a_password() -> None:
    text = block(credentials='credentials: {username: atlas, password: "${enc:QUVT}"}')
    said = refusal(text)
    assert said.startswith("install.yml:5:44: /keyValueService/credentials/password holds an encrypted value")
    assert "cql.password" in said
    assert "QUVT" not in said
    read = config.parse(text, instead=Instead(username="u", password="p"))
    assert (read.username, read.password) == ("u", "p")


def test_roots() -> None:
    whole = block()
    nested = "a/b:\n  m~n:\n" + "".join(f"    {line}\n" for line in whole.splitlines())
    assert config.parse(whole, "").keyspace == config.parse(nested, "/a~1b/m~0n").keyspace == "inventory"
    assert config.parse("~1:\n" + "".join(f"  {line}\n" for line in whole.splitlines()), "/~01").keyspace == "inventory"
    in_list = "- x\n- " + "\n  ".join(whole.strip().splitlines()) + "\n"
    assert config.parse(in_list, "/1").keyspace == "inventory"
    assert "is no JSON Pointer" in refusal(whole, root="atlasdb")
    assert "Write ~0 for ~" in refusal(whole, root="/a~2")
    assert "there is no /2 in this file; it has at its top a list" in refusal(in_list, root="/2")


def test_the_legacy_root_only_when_the_first_is_absent_and_none_was_given(tmp_path: Path) -> None:
    legacy = written(tmp_path, REMOTE)
    with pytest.raises(ConfigurationError, match=r"there is no /atlasdb in this file; it has at its top atlas\."):
        config.load(legacy, "/atlasdb")
    broken = written(tmp_path, "atlasdb: {namespace: other}\n" + REMOTE, "broken.yml")
    with pytest.raises(ConfigurationError, match=r"broken\.yml:1:10: /atlasdb has no “keyValueService”"):
        config.load(broken)
    neither = written(tmp_path, "server: 1\nlogging: 2\n", "neither.yml")
    with pytest.raises(
        ConfigurationError, match=r"there is no /atlasdb in this file; it has at its top server, logging"
    ):
        config.load(neither)


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("namespace: orders", "is “inventory” but /namespace is “orders”"),
        ("timelock: {client: orders}", "is “orders” but /keyValueService/keyspace is “inventory”"),
        ("namespace: inventory\ntimelock: {client: orders}", "is “orders” but /namespace is “inventory”"),
        ("timelock: {}", "TimeLock is configured without a client name"),
        ("leader: {leaders: []}\ntimelock: {client: inventory}", "has leader and timelock together"),
        ("leader: {leaders: []}\nlock: {}", "has leader and lock or timestamp together"),
        ("timelock: {client: inventory}\ntimestamp: {}", "has timelock and lock or timestamp together"),
        ("lock: {servers: ['https://a:1']}", "has only one of lock and timestamp"),
        ("lock: {servers: ['https://a:1']}\ntimestamp: {servers: []}", "/timestamp names no servers"),
        (
            "lock: {servers: ['ftp://a']}\ntimestamp: {servers: ['http://a']}",
            "/lock/servers/0 is no address of a service",
        ),
        ("lock: {servers: ['http://a']}\ntimestamp: {servers: ['http://u:p@a']}", "/timestamp/servers/0 is no address"),
    ],
)
def test_rules_that_keep_authorities_apart(top: str, said: str) -> None:
    assert said in refusal(block(top=top))


def test_the_long_flag_allows_another_keyspace_name() -> None:
    flag = "enableNonstandardAndPossiblyErrorProneTopologyAllowDifferentKvsAndTimelockNamespaces: true"
    read = config.parse(block(top=f"namespace: orders\n{flag}\ntimelock: {{}}"))
    assert (read.keyspace, read.timelock_client) == ("inventory", "orders")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"servers": ""}, "names no Cassandra servers, and no runtime file does"),
        ({"servers": "servers: []"}, "names no Cassandra servers"),
        ({"servers": "servers: [cass-1]"}, "install.yml:4:13: /keyValueService/servers/0 has no port: “cass-1”"),
        ({"servers": "servers: ['a:0']"}, "has no port"),
        ({"servers": "servers: ['a:65536']"}, "has no port"),
        ({"servers": "servers: ['::1:9160']"}, "Write an IPv6 address in brackets"),
        ({"servers": "servers: [' :9160']"}, "has no usable host name"),
        ({"servers": "servers: ['a b:9160']"}, "has no usable host name"),
        ({"servers": "servers: {hosts: ['a:9160'], thriftPort: 9160, cqlPort: 9042}"}, "is no host name: “a:9160”"),
        ({"servers": "servers: {hosts: ['']  , thriftPort: 9160, cqlPort: 9042}"}, "is no host name"),
        ({"servers": "servers: a:9160"}, "is a single value, not a mapping"),
        ({"servers": "servers: {type: cqlCapable}"}, "has no “thriftHosts”"),
        ({"servers": "servers: {type: rdbms}"}, "is “rdbms”, which is not known"),
        ({"servers": "servers: {type: default}"}, "names no servers"),
        ({"credentials": ""}, "has no “credentials”"),
        ({"credentials": "credentials: {username: a}"}, "has no “password”"),
        ({"credentials": "credentials: {username: a, password: [x]}"}, "is a list, not a single value"),
        ({"credentials": "credentials: {username: a, password: }"}, "has no “password”"),
        ({"keyspace": ""}, "has no “keyspace”, and there is no namespace"),
        ({"keyspace": "keyspace: 'a\"b'"}, "is no usable name"),
        ({"store": "replicationFactor: three"}, "is not a whole number from -1 to 1000"),
        ({"store": "replicationFactor: -2"}, "is not a whole number"),
        ({"store": "gcGraceSeconds: 010"}, "is not a whole number"),
        ({"store": "ssl: yes"}, "/keyValueService/ssl is neither true nor false"),
        (
            {"store": "sslConfiguration: {trustStorePath: a, trustStoreType: PUPPET}"},
            "is “PUPPET”, which cannot be used",
        ),
        ({"store": "sslConfiguration: {}"}, "has no “trustStorePath”"),
        ({"store": "sslConfiguration: {trustStorePath: a, trust-store-path: b}"}, "under two spellings"),
        (
            {"store": "keyspace: other"},
            "install.yml:7:3: /keyValueService has the key “keyspace” twice (first on line 6)",
        ),
        ({"store": "<<: {a: 1}"}, "uses a YAML merge key"),
        ({"store": "? [a]\n: 1"}, "has a key that is no single value"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(changes: dict[str, str], said: str) -> None:
    assert said in refusal(block(**changes))


@pytest.mark.parametrize("kind", ["memory", "relational", "dbkvs"])
def test_other_key_value_services_are_refused(kind: str) -> None:
    assert "does not keep its data in Cassandra" in refusal(f"keyValueService: {{type: {kind}}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\tb: 1\n", "install.yml:2:1: this is not valid YAML"),
        ("a:\n\tb: 1\n", "indent with spaces"),
        ("a: [1\nb: 2\n", "install.yml:2:2: this is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "Leave only the document that is meant"),
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("just words", "the document is a single value, not a mapping"),
        ("- a\n- b\n", "the document is a list, not a mapping"),
        ("a: 1\nb: \x07\n", "install.yml:2: a character stands here that YAML does not allow"),
        ("a: *b\n", "found undefined alias"),
        ("[" * 5000, "this is nested too deeply"),
        ("a: 1\na: 2\n", "install.yml:2:1: the document has the key “a” twice (first on line 1)"),
    ],
)
def test_bad_yaml_is_named_with_file_and_line(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize("value", ["*Hunter2Secret", "&Hunter2Secret &x y", "!Hunter2!Secret"])
def test_a_password_that_is_read_as_a_name_is_not_repeated(value: str) -> None:
    said = refusal(f"atlasdb:\n  password: {value}\n")
    assert "Hunter2" not in said
    assert "install.yml:2:" in said


def test_aliases_that_grow_without_end_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert "its aliases make more than" in refusal("\n".join(lines))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yml: the file cannot be read: No such file"):
        config.load(tmp_path / "absent.yml")
    with pytest.raises(ConfigurationError, match="the file cannot be read: Is a directory"):
        config.load(tmp_path)
    (tmp_path / "latin.yml").write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(ConfigurationError, match=r"latin\.yml:2: this is not UTF-8 text"):
        config.load(tmp_path / "latin.yml")
    (tmp_path / "bom.yml").write_bytes(b"\xef\xbb\xbf" + EMBEDDED.encode())
    assert config.load(tmp_path / "bom.yml").keyspace == "inventory"
    (tmp_path / "long.yml").write_text(f"# {'x' * 2 * 1024 * 1024}\n{EMBEDDED}")
    assert config.load(tmp_path / "long.yml").keyspace == "inventory"
    with (tmp_path / "huge.yml").open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    with pytest.raises(ConfigurationError, match=r"huge\.yml: the file is larger than"):
        config.load(tmp_path / "huge.yml")


def test_control_characters_of_a_file_do_not_reach_the_message() -> None:
    said = refusal(block(servers='servers: ["\\e[31mred"]'))
    assert "\x1b" not in said
    assert "\\x1b[31mred" in said


def test_parts_of_the_file_that_are_none_of_our_business_may_be_anything(tmp_path: Path) -> None:
    other = "server: {a: 1, a: 2, x: '${enc:QQ}', <<: 3}\n"
    unknown = "  targetedSweep: {shards: 8}\n  initializeAsync: maybe\n"
    assert config.load(written(tmp_path, other + EMBEDDED + unknown)).keyspace == "inventory"
