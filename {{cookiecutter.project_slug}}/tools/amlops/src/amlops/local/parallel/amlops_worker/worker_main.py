"""The file that a worker process is started with: `python -P worker_main.py FILE-FOR-OUTPUT`.

It runs the copy that it lies in, whatever of amlops is installed where. Its folder is on the import path only for a
moment, so that nothing in it shadows the modules of the scoring script.
Processes that the script starts with multiprocessing import this file again; it does nothing then.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from amlops_worker.worker import main  # pyright: ignore[reportMissingImports]

    sys.path.pop(0)
    sys.exit(main(Path(sys.argv[1])))
