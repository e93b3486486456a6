"""What `nodetool repair` is asked, per dialect: its options, and its help."""

import msgspec

from atlasdb_recovery.practice.simulated.dialect import Dialect

COMMON = {
    ("-dc", "--in-dc"): "data_centers",
    ("-dcpar", "--dc-parallel"): "parallel_data_centers",
    ("-et", "--end-token"): "end",
    ("-hosts", "--in-hosts"): "hosts",
    ("-j", "--job-threads"): "job_threads",
    ("-local", "--in-local-dc"): "local",
    ("-pr", "--partitioner-range"): "primary_range",
    ("-seq", "--sequential"): "sequential",
    ("-st", "--start-token"): "start",
    ("-tr", "--trace"): "trace",
}
OPTIONS = {
    Dialect.PALANTIR: COMMON | {("-inc", "--incremental"): "incremental"},
    Dialect.APACHE: COMMON
    | {
        ("-force", "--force"): "force",
        ("-full", "--full"): "full",
        ("-iuk", "--ignore-unreplicated-keyspaces"): "ignore_unreplicated",
        ("-os", "--optimise-streams"): "optimise_streams",
        ("-paxos-only", "--paxos-only"): "paxos_only",
        ("-pl", "--pull"): "pull",
        ("-prv", "--preview"): "preview",
        ("-skip-paxos", "--skip-paxos"): "skip_paxos",
        ("-vd", "--validate"): "validate",
    },
}
WITH_VALUE = frozenset({"data_centers", "end", "hosts", "job_threads", "start"})


class RepairOptions(msgspec.Struct, frozen=True):
    """A repair command taken apart. An option that the dialect does not know is an argument, as nodetool takes it."""

    flags: frozenset[str]
    values: dict[str, str]
    arguments: tuple[str, ...]

    def has(self, flag: str) -> bool:
        return flag in self.flags

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(filter(None, self.values.get("hosts", "").split(",")))

    @property
    def data_centers(self) -> tuple[str, ...]:
        return tuple(filter(None, self.values.get("data_centers", "").split(",")))


def parsed_options(dialect: Dialect, arguments: tuple[str, ...]) -> RepairOptions:
    names = {name: field for spellings, field in OPTIONS[dialect].items() for name in spellings}
    flags: set[str] = set()
    values: dict[str, str] = {}
    left: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            left += words
        elif word not in names or left:
            left.append(word)
        elif names[word] in WITH_VALUE:
            values[names[word]] = next(words, "")
        else:
            flags.add(names[word])
    return RepairOptions(frozenset(flags), values, tuple(left))


def help_text(dialect: Dialect) -> tuple[str, ...]:
    """`nodetool help repair`, in its layout."""
    own = {("-h", "--host"): "host", ("-p", "--port"): "port", ("-pw", "--password"): "password"}
    options = [
        (f"{short} <{field}>, {long} <{field}>" if valued else f"{short}, {long}", field)
        for spellings, field, valued in sorted(
            [(names, field, field in WITH_VALUE) for names, field in OPTIONS[dialect].items()]
            + [(names, field, True) for names, field in own.items()]
        )
        for short, long in [spellings]
    ]
    synopsis = [
        f"                [({short} <{field}> | {long} <{field}>)]"
        if field in WITH_VALUE
        else f"                [({short} | {long})]"
        for (short, long), field in sorted(OPTIONS[dialect].items())
    ]
    head = "        nodetool [(-h <host> | --host <host>)] [(-p <port> | --port <port>)] repair"
    lines = ["NAME", "        nodetool repair - Repair one or more tables", "", "SYNOPSIS", head, *synopsis]
    lines += ["                [--] [<keyspace> <tables>...]", "", "OPTIONS"]
    for spelled, field in options:
        lines += [f"        {spelled}", f"            {field.replace('_', ' ')}", ""]
    return tuple(lines)
