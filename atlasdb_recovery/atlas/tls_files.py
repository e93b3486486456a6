"""Trust and key stores of a TLS client, as files, and the `ssl.SSLContext` they make.

PEM and PKCS12 can be used; a Java key store (JKS) cannot, and is refused with the commands that convert it.
"""

import os
import shlex
import ssl
import subprocess
import tempfile
from pathlib import Path

import msgspec

from atlasdb_recovery.atlas.secret import Secret
from atlasdb_recovery.atlas.yaml_document import ConfigurationError, Part, expanded

PEM, PKCS12, JKS = "PEM", "PKCS12", "JKS"
_BY_SUFFIX = {".pem": PEM, ".crt": PEM, ".cer": PEM, ".p12": PKCS12, ".pfx": PKCS12, ".pkcs12": PKCS12}
_JKS_MAGIC = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a TLS client needs. Without `ca`, the machine's own trusted authorities count.

    `certificate` is a PEM file (with the key in it, or apart in `key`) or a PKCS12 key store. The server's
    certificate is always verified; its host name only with `verify_host` (`enableEndpointVerification`).
    """

    ca: Path | None = None
    ca_type: str = PEM
    certificate: Path | None = None
    certificate_type: str = PEM
    key: Path | None = None
    password: str = ""
    verify_host: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "password", Secret(self.password))

    def require_no_java_store(self, block: str = "cql") -> None:
        """Raises ConfigurationError with the commands that convert it; `block` of recovery.yml names what they make."""
        stores = {}
        if self.ca is not None and self.ca_type == JKS:
            stores["ca"] = self.ca
        if self.certificate is not None and self.certificate_type == JKS:
            stores["certificate"] = self.certificate
        if stores:
            raise _java_stores(stores, block)

    def require_files(self) -> None:
        """Raises ConfigurationError if a file is not there."""
        for path in (self.ca, self.certificate, self.key):
            if path is not None and not path.is_file():
                remedy = "Relative paths count from the working directory, then from the file that names them."
                raise ConfigurationError("this TLS file is not there", remedy, file=str(path))

    def context(self) -> ssl.SSLContext:
        """A client context, TLS 1.2 or later. Raises ConfigurationError."""
        self.require_no_java_store()
        self.require_files()
        context = trusting(self._authorities())
        context.check_hostname = self.verify_host
        if self.certificate is None:
            return context
        try:
            if self.certificate_type == PKCS12:
                self._load_pkcs12(context)
            else:
                context.load_cert_chain(self.certificate, self.key, password=lambda: str(self.password))
        except (ssl.SSLError, OSError) as error:
            raise ConfigurationError(
                f"the client certificate cannot be used: {error.strerror}",
                "Check that the key belongs to it and that the password is right.",
                file=str(self.certificate),
            ) from None
        return context

    def _authorities(self) -> str | None:
        if self.ca is None:
            return None
        if self.ca_type == PKCS12:
            pem = _openssl(self.ca, str(self.password), "-nokeys")
        else:
            pem = self.ca.read_text(encoding="ascii", errors="replace")
        if "-----BEGIN" not in pem:
            raise ConfigurationError("this holds no certificate", "Name a PEM file.", file=str(self.ca))
        return pem

    def _load_pkcs12(self, context: ssl.SSLContext) -> None:
        """Through a PEM file that only this user can read, encrypted with the store's password, and gone at once."""
        assert self.certificate is not None
        protection = ("-passout", "env:STORE_PASSWORD") if self.password else ("-nodes",)
        pem = _openssl(self.certificate, str(self.password), *protection)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(file.name, password=lambda: str(self.password))


def trusting(authorities: str | None = None) -> ssl.SSLContext:
    """Trusts these certificates, in PEM, or the machine's own authorities; with TLS 1.2 or later.

    As Java does: whatever stands in the trust store is an anchor, an intermediate too, and needs no extension that
    RFC 5280 asks of an authority. Python 3.13 and later would refuse what lacks one, earlier ones an intermediate.
    """
    context = ssl.create_default_context(cadata=authorities)
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    return context


def tls_files(part: Part, *, verify_host: bool = False) -> TlsFiles:
    """Of an `sslConfiguration` block (`SslConfiguration`; kebab-case names too). Types are inferred as Java does."""
    trust = part.required("trustStorePath", "trust-store-path")
    key_store = part.entry("keyStorePath", "key-store-path")
    password = part.entry("keyStorePassword", "key-store-password")
    ca = _located(trust)
    certificate = _located(key_store) if key_store is not None else None
    return TlsFiles(
        ca=ca,
        ca_type=_type(part.entry("trustStoreType", "trust-store-type"), ca),
        certificate=certificate,
        certificate_type=_type(part.entry("keyStoreType", "key-store-type"), certificate),
        password=password.text() if password is not None else "",
        verify_host=verify_host,
    )


def _located(part: Part) -> Path:
    """A service's paths count from its working directory; failing that, from the directory of the file."""
    path = expanded(part.text(), part.error)
    beside = Path(part.file).parent / path
    return path if path.exists() or not beside.exists() else beside


def _type(declared: Part | None, path: Path | None) -> str:
    if path is None:
        return PEM
    kind = declared.text().upper() if declared is not None else _BY_SUFFIX.get(path.suffix.lower(), JKS)
    if kind not in {PEM, PKCS12, JKS} and declared is not None:
        raise declared.error(f"{declared.name} is “{kind}”, which cannot be used", "Use PEM or PKCS12.")
    return _by_content(path) or kind if kind == JKS else kind


def _by_content(path: Path) -> str | None:
    """Java opens a PKCS12 store that is declared as JKS; so it goes by the file's first bytes."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return None
    return PKCS12 if start[:1] == b"\x30" else JKS if start in _JKS_MAGIC else None


def _java_stores(stores: dict[str, Path], block: str) -> ConfigurationError:
    """With the lines that make PEM files of them, and the `tls` that names these."""
    lines, named = [], []
    for use, path in stores.items():
        store, pkcs12, pem = (shlex.quote(str(p)) for p in (path, path.with_suffix(".p12"), path.with_suffix(".pem")))
        lines.append(
            f"  keytool -importkeystore -srckeystore {store} -srcstoretype JKS"
            f" -destkeystore {pkcs12} -deststoretype PKCS12\n"
            f"  openssl pkcs12 -in {pkcs12}{' -nokeys' if use == 'ca' else ''} -out {pem}\n"
        )
        named.append(f"{use}: {pem}")
    if "certificate" in stores:
        named.append('key_password: "${KEY_PASSWORD}"')
    return ConfigurationError(
        "this is a Java key store (JKS), which Python cannot open",
        f"Convert it once:\n{''.join(lines)}and write in recovery.yml:\n  {block}:\n    tls: {{{', '.join(named)}}}",
        file=str(next(iter(stores.values()))),
    )


def _openssl(store: Path, password: str, *arguments: str) -> str:
    """The store as PEM. The password travels in the environment, never among the arguments."""
    environment = {**os.environ, "STORE_PASSWORD": password}
    command = ["openssl", "pkcs12", "-in", str(store), "-passin", "env:STORE_PASSWORD", *arguments]
    try:
        for attempt in (command, [*command, "-legacy"]):
            done = subprocess.run(attempt, env=environment, capture_output=True, text=True, timeout=30, check=False)
            if done.returncode == 0:
                return done.stdout
    except (OSError, subprocess.TimeoutExpired):
        remedy = "Install openssl, or convert the store to PEM elsewhere and name it under `cql.tls` in recovery.yml."
        raise ConfigurationError("opening a PKCS12 store needs the program openssl", remedy, file=str(store)) from None
    raise ConfigurationError(
        "openssl cannot open this PKCS12 store",
        "Check that it is PKCS12 and that keyStorePassword is right; or convert it to PEM and name that.",
        file=str(store),
    )
