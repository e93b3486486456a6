"""Certificates for the simulated servers, made by the program openssl: an authority, and what it certifies."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable

DAYS = "30"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certified(NamedTuple):
    """PEM files: the authority's certificate, a server's with the authority's after it, and the server's key."""

    authority: Path
    chain: Path
    key: Path


def certified(directory: Path, authority: str, addresses: Sequence[str]) -> Certified:
    """By a new authority of this name, in this directory, which is made. Raises RealPracticeUnavailable."""
    directory.mkdir(parents=True, exist_ok=True)
    ca, ca_key, key, request, server, chain = (
        directory / name for name in ("ca.pem", "ca.key", "server.key", "server.csr", "server.pem", "chain.pem")
    )
    extensions = directory / "server.ext"
    names = ",".join(f"IP:{address}" for address in addresses)
    extensions.write_text(f"basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid,issuer\nsubjectAltName={names}\n")
    made = ("-days", DAYS, "-subj")
    _openssl("req", "-x509", *NEW_KEY, "-keyout", ca_key, "-out", ca, *made, f"/CN={authority}")
    _openssl("req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", "/CN=timelock")
    signing = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", extensions)
    _openssl("x509", "-req", "-in", request, *signing, "-days", DAYS, "-out", server)
    chain.write_text(server.read_text() + ca.read_text())
    return Certified(ca, chain, key)


def _openssl(*arguments: str | Path) -> None:
    try:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise RealPracticeUnavailable(
            f"this scenario needs certificates, and openssl could not make them: {error}. Install the program openssl,"
            " or practise another scenario."
        ) from None
