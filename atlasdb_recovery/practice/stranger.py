"""`python -m atlasdb_recovery.practice.stranger ADDRESS PORT`: somebody else's client, for guards to find.

Says when it is connected, reads one row again and again, and ends with its standard input.
"""

import sys
import threading
from contextlib import suppress

from cassandra import DriverException
from cassandra.cluster import Cluster, NoHostAvailable
from cassandra.policies import ConstantReconnectionPolicy

READS_EVERY = 0.2


def read_until_told_to_stop(address: str, port: int) -> None:
    cluster = Cluster([address], port=port, reconnection_policy=ConstantReconnectionPolicy(1.0, max_attempts=None))
    session = cluster.connect()
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    stopped = threading.Event()

    def await_the_end() -> None:
        sys.stdin.read()
        stopped.set()

    threading.Thread(target=await_the_end, daemon=True).start()
    while not stopped.wait(READS_EVERY):
        with suppress(DriverException, NoHostAvailable):
            session.execute("SELECT release_version FROM system.local")
    cluster.shutdown()


if __name__ == "__main__":
    read_until_told_to_stop(sys.argv[1], int(sys.argv[2]))
