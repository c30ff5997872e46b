"""`az ml` commands for real-time endpoints and deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from amlops.azcli.commands import AzCli, options_of, sets_of
from amlops.errors import UserError
from amlops.workspace import Record, ScoringTarget


class AzCliOnlineEndpoints:
    """See `amlops.workspace.OnlineEndpoints`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        words = options_of(name=self._az.endpoint(name))
        self._az.answer("online-endpoint", "create", *self._az.file(file), *words, *sets_of(sets))

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        words = options_of(name=self._az.endpoint(name))
        self._az.answer("online-endpoint", "update", *words, *self._az.file(file), *sets_of(sets))

    def show(self, name: str) -> Record:
        self._az.answer("online-endpoint", "show", *options_of(name=self._az.endpoint(name)))

    def list(self) -> list[Record]:
        self._az.answer("online-endpoint", "list")

    def delete(self, name: str) -> Record:
        self._az.answer("online-endpoint", "delete", *options_of(name=self._az.endpoint(name), yes=True))

    def invoke(self, name: str, *, request_file: Path, deployment_name: str | None = None) -> object:
        words = options_of(
            name=self._az.endpoint(name),
            request_file=self._az.local_path(request_file),
            deployment_name=deployment_name,
        )
        self._az.answer("online-endpoint", "invoke", *words)

    def credentials(self, name: str) -> Record:
        self._az.answer("online-endpoint", "get-credentials", *options_of(name=self._az.endpoint(name)))

    def target(self, name: str, deployment_name: str | None = None) -> ScoringTarget:
        raise UserError(f"--print-az: no az command sends load to '{deployment_name or name}'; leave it out")

    def traffic(self, name: str) -> dict[str, int]:
        words = options_of(name=self._az.endpoint(name), query="traffic")
        self._az.answer("online-endpoint", "show", *words)

    def set_traffic(
        self, name: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None = None, *, fallback: bool = False
    ) -> Record:
        if fallback:
            raise UserError("--fallback: Azure's router has nothing like it; leave it out")
        words = options_of(
            name=self._az.endpoint(name),
            traffic=_shares(traffic) if traffic else None,
            mirror_traffic=None if mirror is None else _shares(mirror),
        )
        self._az.answer("online-endpoint", "update", *words)

    def served(self, name: str) -> None:
        """Nothing is watched with az."""


class AzCliOnlineDeployments:
    """See `amlops.workspace.OnlineDeployments`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        all_traffic: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        words = options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name), all_traffic=all_traffic)
        self._az.answer("online-deployment", "create", *self._az.file(file), *words, *sets_of(sets))

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        words = self._of(name, endpoint_name)
        self._az.answer("online-deployment", "update", *words, *self._az.file(file), *sets_of(sets))

    def copy(self, name: str, endpoint_name: str, new_name: str, *, sets: Sequence[str] = ()) -> Record:  # noqa: ARG002
        raise UserError(f"--print-az: no az command copies '{name}'; leave it out")

    def show(self, name: str, endpoint_name: str) -> Record:
        self._az.answer("online-deployment", "show", *self._of(name, endpoint_name))

    def list(self, endpoint_name: str) -> list[Record]:
        self._az.answer("online-deployment", "list", *options_of(endpoint_name=self._az.endpoint(endpoint_name)))

    def delete(self, name: str, endpoint_name: str) -> Record:
        self._az.answer("online-deployment", "delete", *self._of(name, endpoint_name), "--yes")

    def get_logs(self, name: str, endpoint_name: str, *, lines: int = 50) -> str:
        self._az.answer("online-deployment", "get-logs", *self._of(name, endpoint_name), *options_of(lines=lines))

    def _of(self, name: str, endpoint_name: str) -> list[str]:
        return options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name))


def _shares(shares: Mapping[str, int]) -> str:
    return " ".join(f"{name}={share}" for name, share in shares.items())
