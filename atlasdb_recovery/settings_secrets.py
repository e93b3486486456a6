"""What of the settings is secret, and the settings as they may be shown."""

import re
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.atlas.secret import Secret
from atlasdb_recovery.atlas.yaml_record import Values
from atlasdb_recovery.foreign import masked

_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|(^|_)(PASS|PW|KEY|APIKEY)(_|$)")


def environment_secrets(values: Values) -> list[str]:
    """The values of environment variables that were put in, where their names tell of a secret."""
    return [value for name, value in values.used.items() if value and _SECRET_NAME.search(name.upper())]


def secrets_in(value: Any) -> list[Secret]:
    """Every secret in it, however deep."""
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, msgspec.Struct):
        value = [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, dict):
        value = list(value.values())
    return [secret for below in value for secret in secrets_in(below)] if isinstance(value, list | tuple) else []


def shown(value: Any, secrets: frozenset[str]) -> Any:
    """As plain values without a secret."""
    if isinstance(value, msgspec.Struct):
        return {name: shown(getattr(value, name), secrets) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): shown(below, secrets) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [shown(below, secrets) for below in value]
    if isinstance(value, Secret):
        return "***" if value else ""
    if isinstance(value, Path):
        return str(value)
    return masked(value, secrets) if isinstance(value, str) else value
