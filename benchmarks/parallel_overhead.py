"""What the runner of parallel jobs (batch endpoints, parallel steps) costs beside the scoring script.

    python benchmarks/parallel_overhead.py [--mini-batches 2000] [--files 100000] [--output FILE]

- Overhead per mini-batch: a script that returns what it gets, one file per mini-batch; many mini-batches less few, so
  that the start of the job does not count; the best of three runs each. In this process (`workers: 0`) and with one
  worker process.
- From the timeout to the worker's death: scripts that sleep, each in a mini-batch of its own.
- Many files: the time to list them and cut them into mini-batches, to run them with two workers, and the memory.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.plan import ParallelPlan
from amlops.local.parallel.runner import run_parallel
from amlops.local.parallel.settings import ParallelSettings

FEW = 10
RUNS = 3
TIMEOUT = 1
HANGS = 10
PER_FOLDER = 1000
NO_OP = {
    "list": "def init(): pass\ndef run(mini_batch): return mini_batch\n",
    "DataFrame": (
        "import pandas as pd\ndef init(): pass\n"
        "def run(mini_batch): return pd.DataFrame({'file': mini_batch, 'label': 1, 'p': 0.5})\n"
    ),
}
HANG = (
    "import os, pathlib, time\ndef init(): pass\n"
    "def run(mini_batch):\n"
    "    pathlib.Path(os.environ['MARKS'], pathlib.Path(mini_batch[0]).name).write_text(repr(time.time()))\n"
    "    time.sleep(60)\n"
)


def files(folder: Path, count: int) -> BatchInput:
    """`count` empty files, a thousand in each folder."""
    for number in range(count):
        if number % PER_FOLDER == 0:
            (folder / f"{number // PER_FOLDER:04}").mkdir(parents=True)
        (folder / f"{number // PER_FOLDER:04}" / f"{number % PER_FOLDER:03}.png").touch()
    return BatchInput(folder, folder, "uri_folder")


def run(root: Path, source: BatchInput, script: str, workers: int, **given: Any) -> tuple[float, dict[str, Any]]:
    """Seconds of a job in a new folder below `root`, and its result."""
    folder = Path(tempfile.mkdtemp(dir=root))
    (folder / "driver.py").write_text(script, encoding="utf-8")
    known: dict[str, Any] = {
        "instance_count": 1,
        "max_concurrency_per_instance": max(1, workers),
        "mini_batch_size": 1,
        "output_action": "append_row",
        "output_file_name": "predictions.csv",
        "max_retries": 1,
        "timeout": 600,
        "error_threshold": -1,
        "logging_level": "warning",
        "environment_variables": {"MARKS": str(folder)},
    }
    plan = ParallelPlan(
        name="benchmark",
        source=source,
        settings=ParallelSettings(**{**known, **given}),
        code=folder,
        script=folder / "driver.py",
        nodes=["node0"] * workers,
        cores=os.cpu_count() or 1,
        output=folder / "out",
        output_file=folder / "out" / "predictions.csv",
    )
    started = time.perf_counter()
    result = run_parallel(plan, folder / "job")
    return time.perf_counter() - started, {**result, "folder": folder}


def overhead(root: Path, count: int) -> dict[str, float]:
    """Milliseconds per mini-batch."""
    many, few = files(root / "many", count), files(root / "few", FEW)
    found = {}
    for where, workers in (("in this process", 0), ("one worker process", 1)):
        for kind, script in NO_OP.items():
            best = [min(run(root, source, script, workers)[0] for _ in range(RUNS)) for source in (few, many)]
            seconds = best[1] - best[0]
            found[f"overhead per mini-batch, {where}, {kind} (ms)"] = 1000 * seconds / (count - FEW)
    return found


def deaths(root: Path) -> dict[str, float]:
    """Seconds between the end of the timeout and the end of the worker process."""
    _, result = run(root, files(root / "hang", HANGS), HANG, 2, timeout=TIMEOUT)
    late = []
    for line in (result["folder"] / "job/logs/user/error.txt").read_text(encoding="utf-8").splitlines():
        if "Timeout" in line:
            number = int(line.partition("mini-batch ")[2].partition(",")[0])
            began = float((result["folder"] / f"{number:03}.png").read_text(encoding="utf-8"))
            late.append(datetime.datetime.fromisoformat(line.split()[0]).timestamp() - began - TIMEOUT)
    return {
        "timeout to death of the worker, median (ms)": 1000 * statistics.median(late),
        "timeout to death of the worker, worst (ms)": 1000 * max(late),
    }


def many_files(root: Path, count: int) -> dict[str, float]:
    """Listing, cutting and scoring many files, ten in each mini-batch."""
    source = files(root / "files", count)
    before, started = resident(), time.perf_counter()
    batches = source.mini_batches(10)
    found = {
        f"{count:,} files listed and cut into {len(batches):,} mini-batches (s)": time.perf_counter() - started,
        f"{count:,} files, memory of the mini-batches (MB)": resident() - before,
    }
    del batches
    seconds, _ = run(root, source, NO_OP["list"], 2, mini_batch_size=10)
    return {
        **found,
        f"{count:,} files, the whole job with 2 workers (s)": seconds,
        f"{count:,} files, memory of this process at the end (MB)": resident(),
    }


def resident() -> float:
    """Megabytes of memory that this process has; 0 where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mini-batches", type=int, default=2000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--output", type=Path, help="write the figures as JSON too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        figures = {**overhead(root, given.mini_batches), **deaths(root), **many_files(root, given.files)}
    machine = {
        "machine": f"{os.cpu_count()} cores, {platform.platform()}",
        "python": platform.python_version(),
        "pandas": importlib.metadata.version("pandas"),
    }
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n")
    for name, value in figures.items():
        print(f"{name:<75} {value:>10.2f}")
    if given.output:
        text = json.dumps({**machine, "figures": figures}, indent=2)
        given.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
