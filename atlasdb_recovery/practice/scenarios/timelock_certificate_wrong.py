"""TimeLock's certificate is renewed during the restore, by an authority that this host does not trust."""

import shutil
import ssl
from collections.abc import Sequence

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.events import Event, StepVerified
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.noticing import fails
from atlasdb_recovery.practice.scenarios.on_timelock import ADDRESSES, OnTimeLock
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.practice.simulated.timelock.certificates import certified
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger
from atlasdb_recovery.procedure.steps.names import RESTORE_STORE

FAST_FORWARD = "fast-forward"
OLD, NEW = "Company Internal CA 3", "Company Internal CA 4"
STAYS = "The servers came back with the certificate they had: who is trusted is decided on this host."


class TimeLockCertificateWrong(OnTimeLock):
    name = "timelock-certificate-wrong"
    title = "TimeLock: a certificate that is not trusted"
    situation = (
        "The service has its timestamps from TimeLock, over TLS. The service is stopped and all three nodes are up. "
        "The security team is changing the company's certificates this week, one team after the other."
    )
    built_in = (
        f"While the store is being restored TimeLock gets its new certificate, of {NEW}. The trust store that the "
        f"service's configuration names knows {OLD} alone."
    )
    rules = (
        "A certificate error is final: no second try, no other server, and never without TLS. Whoever answers there "
        "cannot be told from an impostor, and what an impostor hands out is worth nothing.",
        "Trust is taken from where it is published, not from whoever asks for it.",
    )

    _presented = OLD

    async def grow_up(self) -> None:
        await super().grow_up()
        self.configure(timestamp_tls=TlsFiles(ca=self._trusted))

    def made(self) -> SimulatedTimeLock:
        directory = self.world.settings.state_dir.parent / "tls"
        old = certified(directory / "old", OLD, ADDRESSES)
        self._new = certified(directory / "new", NEW, ADDRESSES)
        self._trusted = directory / "trust.pem"
        shutil.copy(old.authority, self._trusted)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(old.chain, old.key)
        return SimulatedTimeLock(ADDRESSES, tls=self._tls)

    def happens(self, event: Event) -> None:
        if isinstance(event, StepVerified) and event.step == RESTORE_STORE and self.first("renewed"):
            self._tls.load_cert_chain(self._new.chain, self._new.key)
            self._presented = NEW
            self.world.happened(f"TimeLock's certificate was renewed, by {NEW}")

    def is_met_by(self, event: Event) -> bool:
        return fails(event, FAST_FORWARD)

    def own_actions(self) -> Sequence[Action]:
        return (
            Action(
                "look-certificate",
                "look at the certificate that TimeLock presents, and at the trust store",
                "openssl s_client -connect …:8421 -showcerts, and openssl x509 -noout -subject of the trust store.",
                self._look,
                danger=Danger.READS,
            ),
            Action(
                "fetch-authority",
                "fetch the company's authorities from where the security team publishes them",
                "You download the bundle, compare its fingerprint with the announcement, and trust it here.",
                self._fetch,
            ),
            Action(
                "trust-presented",
                "put into the trust store whatever TimeLock presents",
                "openssl s_client -showcerts </dev/null >> trust.pem.",
                self._trust_presented,
            ),
            self.restart_timelock(STAYS),
        )

    async def _look(self) -> str:
        trusted = OLD if not self._trusts_new else f"{OLD} and {NEW}"
        return f"TimeLock presents a certificate of {self._presented}; the trust store holds {trusted}"

    async def _fetch(self) -> str:
        self._trust_new()
        return f"fingerprint as announced; the trust store holds {OLD} and {NEW}"

    async def _trust_presented(self) -> str:
        self._trust_new()
        return f"the trust store holds {OLD}, and what was presented: it calls itself {NEW}"

    def _trust_new(self) -> None:
        if not self._trusts_new:
            with self._trusted.open("a") as trusted:
                trusted.write(self._new.authority.read_text())

    @property
    def _trusts_new(self) -> bool:
        return self._new.authority.read_text() in self._trusted.read_text()

    def missed(self, acted: Sequence[str]) -> Sequence[str]:
        if "trust-presented" in acted and "fetch-authority" not in acted[: acted.index("trust-presented")]:
            return ("What TimeLock presented was trusted because it was presented: an impostor would have passed too.",)
        return ()

    @property
    def right(self) -> Script:
        return Script((Act("look-certificate"), Act("fetch-authority"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Act("restart-timelock"), Choice.RETRY, *self.right.moves))
