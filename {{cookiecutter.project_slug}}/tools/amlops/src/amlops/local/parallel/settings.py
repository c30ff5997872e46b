"""The settings of one parallel job, wherever they came from: a deployment and its invocation, or a parallel step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from amlops.project import Limits


@dataclass(frozen=True)
class BatchSettings:
    """Settings of one job. `timeout` is in seconds; an `error_threshold` of -1 ignores failed items."""

    instance_count: int
    max_concurrency_per_instance: int
    mini_batch_size: int
    output_action: str
    output_file_name: str
    max_retries: int
    timeout: int
    error_threshold: int
    logging_level: str
    environment_variables: dict[str, str]

    @property
    def attempts(self) -> int:
        """How often a mini-batch is tried.

        Azure's client calls `max_retries` the number of tries, its reference that of retries.
        """
        return max(1, self.max_retries)

    @property
    def append_row(self) -> bool:
        """False for summary_only."""
        return self.output_action == "append_row"

    def nodes(self, limits: Limits) -> tuple[list[str], str]:
        """The node of each worker, inside the laptop's limits; and a note for the user where the limits cut
        something off.
        """
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
        return {**asdict(self), "environment_variables": sorted(self.environment_variables)}
