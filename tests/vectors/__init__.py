"""What AtlasDB's own Java classes (release 0.1175.0) computed, and rows that the real AtlasDB wrote; bytes are hex."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@cache
def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in text(f"{name}.jsonl").splitlines()]


@cache
def document(name: str) -> Any:
    """The content of a JSON file."""
    return json.loads(text(f"{name}.json"))


@cache
def text(file_name: str) -> str:
    return gzip.decompress((HERE / f"{file_name}.gz").read_bytes()).decode()
