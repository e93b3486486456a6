"""`timestamps.command` of `recovery.yml`: AtlasDB's own command line, and which files it is told to read."""

import shutil
from pathlib import Path

import msgspec

from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.atlas.yaml_record import Values
from atlasdb_recovery.cassandra.command_template import command_words, through_ssh
from atlasdb_recovery.settings_file import SettingsFile

OPTIONS_OF_OURS = frozenset(
    "-c --config --config-root --inline-config --runtime-config --runtime-config-root --inline-runtime-config"
    " --offline timestamp".split()
)
"""Of AtlasDB's command line: what it is told here, and must not be told otherwise."""


class AtlasCliSettings(msgspec.Struct, frozen=True, kw_only=True):
    """AtlasDB's own command line: its program, and the options that name the files that were read here."""

    program: tuple[str, ...]
    configuration: tuple[str, ...]


def atlas_cli_settings(
    values: Values, file: SettingsFile, config: Path | None, runtime_config: Path | None
) -> AtlasCliSettings:
    """It reads the very files that were read here, on this machine. Raises ConfigurationError for one that would not.

    Otherwise it could be the timestamps of another keyspace that it fetches and moves.
    """
    program = command_words(file.timestamps.command or "", {})

    def refused(what: str, remedy: str) -> ConfigurationError:
        return values.error(("timestamps", "command"), what, remedy)

    if file.timestamps.servers or file.timestamps.tls is not None:
        what = "it is run instead of asking `servers`, with `tls`, and they are given as well"
        raise refused(what, "Give the one or the other.")
    if ours := OPTIONS_OF_OURS & {word.partition("=")[0] for word in program}:
        what = f"{', '.join(sorted(ours))} is added when it is run"
        raise refused(what, "Write the program alone, such as /opt/orders/bin/atlasdb.")
    if through_ssh(program):
        what = "through ssh it would read another machine's configuration, perhaps another keyspace's"
        raise refused(what, "Run this program where AtlasDB's command line runs.")
    if shutil.which(program[0]) is None:
        raise refused(f"there is no program “{program[0]}” on this machine", "Write its whole path.")
    if file.inline_config or file.inline_runtime_config:
        raise refused("it reads files, and the configuration is given inline", "Give `config` as a file.")
    given = {
        "-c": config,
        "--config-root": file.config_root,
        "--runtime-config": runtime_config,
        "--runtime-config-root": file.runtime_config_root,
    }
    words = [word for option, value in given.items() if value is not None for word in (option, str(value))]
    return AtlasCliSettings(program=program, configuration=tuple(words))
