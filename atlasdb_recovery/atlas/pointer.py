"""JSON Pointers (RFC 6901): where in a document the AtlasDB block stands (`AtlasDbConfigs.findRoot`)."""

import re

from atlasdb_recovery.atlas.yaml_document import ConfigurationError, Part
from atlasdb_recovery.foreign import plain

_WRONG_ESCAPE = re.compile(r"~(?![01])")


class RootMalformed(ConfigurationError):
    """The root is no JSON Pointer."""


class RootAbsent(ConfigurationError):
    """The document has nothing at this root."""


def at(document: Part, root: str) -> Part:
    """The part this pointer leads to; "" is the whole document. Raises ConfigurationError."""
    part = document
    for token in _tokens(root):
        found = _below(part, token)
        if found is None:
            raise _absent(document, root)
        part = found
    return part


def _tokens(root: str) -> list[str]:
    if root and not root.startswith("/"):
        raise RootMalformed(
            f"the root “{root}” is no JSON Pointer", 'It begins with “/”, as in `/atlasdb`; "" is the whole document.'
        )
    if _WRONG_ESCAPE.search(root):
        raise RootMalformed(f"the root “{root}” is no JSON Pointer", "Write ~0 for ~ and ~1 for / within a key.")
    return [token.replace("~1", "/").replace("~0", "~") for token in root.split("/")[1:]]


def _below(part: Part, token: str) -> Part | None:
    if part.is_mapping:
        return part.mapping().get(token)
    if part.is_list and re.fullmatch("0|[1-9][0-9]{0,5}", token):
        items = part.items()
        return items[int(token)] if int(token) < len(items) else None
    return None


def _absent(document: Part, root: str) -> RootAbsent:
    keys = ", ".join(plain(key, 60) for key in list(document.mapping())[:10]) if document.is_mapping else ""
    return RootAbsent(
        f"there is no {root} in this file; it has at its top {keys or document.kind}",
        "Name the place of the AtlasDB block with --config-root (`config_root`), or --runtime-config-root"
        ' (`runtime_config_root`) for a runtime file; "" is the whole document.',
        file=document.file,
    )
