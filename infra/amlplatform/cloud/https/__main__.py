"""The HTTPS door in a process of its own:

    python -m amlplatform.cloud.https --state FILE --folder DIR

prints one line, the environment that a command needs to come here (a JSON object), and stops when its standard input
ends, which it does when the process that started it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.certificate import CertificateError
from amlplatform.cloud.https.server import serving
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import CloudState


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m amlplatform.cloud.https")
    parser.add_argument("--state", type=Path, required=True, help="file of the offline Azure's state")
    parser.add_argument("--folder", type=Path, required=True, help="private folder for the certificate")
    arguments = parser.parse_args(argv)
    # Ctrl-C is for the command, which may still have something to ask.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    state = CloudState(arguments.state)
    manager = ResourceManager(state)
    azure = Azure(state, lambda _caller: manager)
    try:
        with serving(azure, arguments.folder) as environment:
            print(json.dumps(environment), flush=True)
            while os.read(sys.stdin.fileno(), 4096):
                pass
    except CertificateError as error:
        # In the place of the environment: the reason is for the person, and not for the log.
        print(error, flush=True)
        return 1
    finally:
        state.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
