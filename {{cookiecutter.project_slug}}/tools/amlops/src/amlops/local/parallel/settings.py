"""The settings of one parallel job, wherever they came from: a deployment and its invocation, or a parallel step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from amlops.errors import UserError
from amlops.project import Disputed, Limits

# Azure ML, "Use parallel jobs in pipelines", arguments of `program_arguments`; in seconds.
FIRST_TASK_CREATION_TIMEOUT = 600.0
RESOURCE_MONITOR_INTERVAL = 600.0


@dataclass(frozen=True)
class ParallelSettings:
    """Settings of one job. Times are in seconds; thresholds of -1 ignore all failures.

    Attributes:
        mini_batch_size: a number of files; for tables a number of bytes, for example 10kb.
        partition_keys: they win over `mini_batch_size`.
        timeout: for one call of `run()`.
        error_threshold: failed items of the whole input, more than which end the job; `mini_batch_error_threshold`
            the same for mini-batches, `allowed_failed_percent` for percent of the mini-batches.
        program_arguments: words that the script gets after the runner's own options.
        task_overhead_timeout: for loading one mini-batch; None: the disputed default.
        progress_update_timeout: without any finished mini-batch; None: 3 x (timeout + task_overhead_timeout).
        first_task_creation_timeout: until the first mini-batch exists.
        memory: megabytes of address space that one worker may have; 0: no limit.
        gpus: GPUs of each node.
        workers: None: as many as instance_count x max_concurrency_per_instance and the laptop allow; 0: the calling
            process does everything itself, so that a debugger can stop in the script.
    """

    instance_count: int
    max_concurrency_per_instance: int
    mini_batch_size: int | str
    output_action: str
    output_file_name: str
    max_retries: int
    timeout: int
    error_threshold: int
    logging_level: str
    environment_variables: dict[str, str]
    partition_keys: Sequence[str] = ()
    mini_batch_error_threshold: int = -1
    allowed_failed_percent: float = 100.0
    program_arguments: Sequence[str] = ()
    task_overhead_timeout: float | None = None
    progress_update_timeout: float | None = None
    first_task_creation_timeout: float = FIRST_TASK_CREATION_TIMEOUT
    resource_monitor_interval: float = RESOURCE_MONITOR_INTERVAL
    append_row_dataframe_header: bool = False
    memory: int = 0
    gpus: int = 0
    workers: int | None = None
    disputed: Disputed = field(default_factory=Disputed)

    @property
    def attempts(self) -> int:
        """How often a mini-batch is tried."""
        if self.disputed.max_retries == "retries":
            return self.max_retries + 1
        return max(1, self.max_retries)

    @property
    def append_row(self) -> bool:
        """False for summary_only."""
        return self.output_action == "append_row"

    @property
    def overhead_timeout(self) -> float:
        """Seconds that loading a mini-batch may take."""
        given = self.task_overhead_timeout
        return self.disputed.task_overhead_timeout if given is None else given

    @property
    def progress_timeout(self) -> float:
        """Seconds without any finished mini-batch after which the job fails."""
        if self.progress_update_timeout is not None:
            return self.progress_update_timeout
        return 3 * (self.timeout + self.overhead_timeout)

    def limited(self, limits: Limits, workers: int | None = None) -> ParallelSettings:
        """These settings with the laptop's limits. `workers`: `--workers` of the invocation, which wins.

        Raises:
            UserError: see `check`.
        """
        limited = replace(
            self,
            memory=limits.memory,
            gpus=limits.gpus,
            disputed=limits.disputed,
            workers=limits.workers if workers is None else workers,
        )
        limited.check()
        return limited

    def check(self) -> None:
        """Raise UserError for settings that do not go together."""
        given = {
            "error_threshold": self.error_threshold >= 0,
            "mini_batch_error_threshold": self.mini_batch_error_threshold >= 0,
            "allowed_failed_percent": self.allowed_failed_percent < 100,
        }
        names = [name for name, set_ in given.items() if set_]
        if self.disputed.several_thresholds == "one" and len(names) > 1:
            raise UserError(
                f"{names[1]}: only one threshold can be used, and there is {names[0]} too "
                "(disputed.several_thresholds is 'one' in .cloud/environments/local.yml); leave one of them out"
            )

    def never_exceeded(self, items: int) -> str:
        """A note for the user about an `error_threshold` that so many items cannot exceed; empty when they can."""
        if self.error_threshold < items:
            return ""
        return (
            f"error_threshold {self.error_threshold} is never exceeded by {items} item(s), so no failure stops the "
            "job; it is a number of items of the whole input"
        )

    def nodes(self, limits: Limits) -> tuple[list[str], str]:
        """The node of each worker, inside the laptop's limits; and a note for the user where the limits cut
        something off. No node: the calling process does the work.
        """
        if self.workers == 0:
            return [], (
                "workers: 0: the scoring script runs in this process, where a debugger can stop it; timeouts and the "
                "memory limit are not enforced"
            )
        count = min(self.instance_count, limits.nodes)
        names = [f"node{node}" for _ in range(self.max_concurrency_per_instance) for node in range(count)]
        wanted = self.instance_count * self.max_concurrency_per_instance
        names = names[: limits.cores]
        if len(names) == wanted:
            return names, ""
        return names, (
            f"{wanted} workers asked for (instance_count {self.instance_count} x max_concurrency_per_instance "
            f"{self.max_concurrency_per_instance}), {len(names)} used: "
            f".cloud/environments/local.yml allows {limits.nodes} nodes and {limits.cores} cores"
        )

    def as_record(self) -> dict[str, Any]:
        """The settings for the job's record, without the values of environment variables: they may be secret."""
        lists = {key: list(getattr(self, key)) for key in ("partition_keys", "program_arguments")}
        return {**asdict(self), **lists, "environment_variables": sorted(self.environment_variables)}
