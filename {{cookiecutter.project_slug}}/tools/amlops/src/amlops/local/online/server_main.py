"""Azure ML's inference server on loopback only. It ends when its standard input does: with the process that started it.

Runs in the environment of real-time deployments, which does not have amlops; the words are those of `azmlinfsrv`.
"""

import os
import signal
import sys
import threading
import time

from azureml_inference_server_http import amlserver  # pyright: ignore[reportMissingImports]

GRACE_SECONDS = 10.0


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process and the workers it has started."""
    # The descriptor itself: gunicorn closes and exchanges sys.stdin.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    if sys.platform == "win32":
        os._exit(1)
    os.killpg(0, signal.SIGKILL)


def limit() -> None:
    """What a profile tries: processor cores (where the system has affinity) and address space of each process (Unix).

    Both hold for the workers too, which inherit them.
    """
    cores, space = os.environ.get("AMLOPS_LIMIT_CORES"), os.environ.get("AMLOPS_LIMIT_ADDRESS_SPACE_GIB")
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(cores) :])
    if space and sys.platform != "win32":
        import resource

        most = int(float(space) * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    limit()
    threading.Thread(target=end_with_parent, daemon=True).start()
    amlserver.DEFAULT_HOST = "127.0.0.1"  # 0.0.0.0 in the image of Azure, where a container is around it
    amlserver.run()
