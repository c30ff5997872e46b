"""How much of the machine the workers use, in logs/perf, as Azure ML's runner does it.

logs/perf/<node>/node_resource_usage.csv        the machine: processor seconds used, memory
logs/perf/<node>/processes_resource_usage.csv   each worker: processor seconds, memory
logs/perf/<node>/node_disk_usage.csv            the disk that the job's folder is on

The figures come from psutil where that is installed, otherwise from /proc where there is one; else cells are empty. All
nodes of a job on a laptop are the same machine.
"""

from __future__ import annotations

import csv
import os
import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops.local.parallel.processes import WorkerProcess

_MEGABYTE = 1024 * 1024
_TABLES = {
    "node_resource_usage": ("time", "load_1_minute", "memory_total_mb", "memory_available_mb"),
    "processes_resource_usage": ("time", "process", "pid", "cpu_seconds", "memory_mb"),
    "node_disk_usage": ("time", "total_mb", "free_mb"),
}


class ResourceMonitor:
    """Takes a sample when the first workers run, and then every `interval` seconds (`--resource_monitor_interval`)."""

    def __init__(self, folder: Path, interval: float) -> None:
        self._folder = folder
        self._interval = interval
        self._next = 0.0

    def tick(self, workers: Sequence[WorkerProcess]) -> None:
        """Called often; takes a sample when it is time."""
        if time.monotonic() < self._next or all(worker.state == "init" for worker in workers):
            return
        self._next = time.monotonic() + self._interval
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        disk = shutil.disk_usage(self._folder.parent)
        for node in dict.fromkeys(worker.node for worker in workers):
            self._add(node, "node_resource_usage", [(now, *_machine())])
            self._add(node, "node_disk_usage", [(now, disk.total // _MEGABYTE, disk.free // _MEGABYTE)])
            of_node = [worker for worker in workers if worker.node == node]
            rows = [(now, worker.label, worker.pid, *_process(worker.pid)) for worker in of_node]
            self._add(node, "processes_resource_usage", rows)

    def _add(self, node: str, table: str, rows: Sequence[Sequence[Any]]) -> None:
        file = self._folder / node / f"{table}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        new = not file.exists()
        with file.open("a", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([_TABLES[table], *rows] if new else rows)


def _machine() -> tuple[Any, Any, Any]:
    """Load of the last minute, memory in all and available, in MB."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else ""
    if psutil := _psutil():
        memory = psutil.virtual_memory()
        return load, memory.total // _MEGABYTE, memory.available // _MEGABYTE
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return load, "", ""
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return load, kilobytes["MemTotal"] // 1024, kilobytes["MemAvailable"] // 1024


def _process(pid: int) -> tuple[Any, Any]:
    """Processor seconds used so far, and memory in MB, of a process."""
    if psutil := _psutil():
        try:
            process = psutil.Process(pid)
            times = process.cpu_times()
            return round(times.user + times.system, 2), process.memory_info().rss // _MEGABYTE
        except psutil.Error:
            return "", ""
    try:
        values = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "", ""
    ticks, pages = int(values[11]) + int(values[12]), int(values[21])
    return round(ticks / os.sysconf("SC_CLK_TCK"), 2), pages * os.sysconf("SC_PAGE_SIZE") // _MEGABYTE


def _psutil() -> Any:
    """The module psutil, or None."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil
