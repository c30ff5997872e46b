"""The HTTPS door in a process of its own:

    python -m amlplatform.cloud.https --state FILE --folder DIR [--identity ID] [--hostile]
        [--held DIR] [--azurite COMMAND...]

prints one line, the environment that a command needs to come here (a JSON object), and stops when its standard input
ends, which it does when the process that started it goes. Then it prints another: the hosts that were asked for and
refused (a JSON list).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from amlplatform.cloud import callers, hindrances
from amlplatform.cloud.hindrances import hostility
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.behaviour import Behaviour
from amlplatform.cloud.https.certificate import CertificateError
from amlplatform.cloud.https.server import serving
from amlplatform.cloud.state import CloudState


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m amlplatform.cloud.https")
    parser.add_argument("--state", type=Path, required=True, help="file of the offline Azure's state")
    parser.add_argument("--folder", type=Path, required=True, help="private folder for the certificate")
    parser.add_argument("--identity", default="", help="who calls: an identity in the state; left out: the person")
    parser.add_argument("--hostile", action="store_true", help="as slow to agree as Azure")
    parser.add_argument("--held", type=Path, help="folder of blobs and images; left out: --folder")
    parser.add_argument("--azurite", nargs="+", help="command that starts Azurite; left out: no blob storage")
    arguments = parser.parse_args(argv)
    # Ctrl-C is for the command, which may still have something to ask.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    state = CloudState(arguments.state)
    manager = hindrances.manager(state, hostility.chosen(state, hostile=arguments.hostile))
    behaviour = Behaviour(polls=5, page_size=10) if arguments.hostile else Behaviour()
    azure = Azure(state, manager.acting_as, behaviour, caller=callers.find(arguments.identity, state))
    try:
        with serving(azure, arguments.folder, arguments.azurite, arguments.held) as environment:
            print(json.dumps(environment), flush=True)
            while os.read(sys.stdin.fileno(), 4096):
                pass
            # The process that started this one may be gone.
            with contextlib.suppress(OSError):
                os.write(sys.stdout.fileno(), json.dumps(list(dict.fromkeys(azure.egress.refused))).encode())
    except CertificateError as error:
        # In the place of the environment: the reason is for the person, and not for the log.
        print(error, flush=True)
        return 1
    finally:
        state.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
