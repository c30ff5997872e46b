"""The connection to one environment in Azure: where it is, who calls, and the client of azure-ai-ml.

    azure = AzureContext(project, environment)
    with azure_errors(azure, "model 'digits'"):
        azure.ml.models.get("digits", version="3")

Nothing is imported and nobody signs in before `ml` or `credential` is asked for.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import yaml

from amlops.azure import credentials
from amlops.azure.rest import FrontEnd, ResourceManager
from amlops.errors import UserError, shown
from amlops.project import Environment, Project
from amlops.render import FOLDERS, render

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential

_SETUP = "python tools/tasks.py azure"
_HANDOVER = "the platform team fills it in at the hand-over (amlplatform handover)"
_NAMES = ("resource_group", "workspace")
# Loggers that tell what no user can act on: experimental classes, retries, each way of signing in that was not taken.
_LOGGERS = ("azure", "azure.ai.ml", "msrest", "urllib3", "msal", "opentelemetry")


class AzureContext:
    """One environment of a project in Azure.

    Attributes:
        project: the project.
        environment: which of its environments; not the laptop.
    """

    def __init__(self, project: Project, environment: Environment) -> None:
        self.project = project
        self.environment = environment

    @cached_property
    def subscription_id(self) -> str:
        """The subscription of the environment's file, else AZURE_SUBSCRIPTION_ID. Raises UserError."""
        given = self.environment.subscription_id
        source = None if given else "AZURE_SUBSCRIPTION_ID"
        found = given or os.environ.get("AZURE_SUBSCRIPTION_ID", "")
        if not found:
            raise UserError(f"subscription_id: is empty; {_HANDOVER}, or set AZURE_SUBSCRIPTION_ID", file=self._file)
        try:
            return str(uuid.UUID(found))
        except ValueError:
            message = f"'{found}' must be the id of a subscription; for example 00000000-0000-0000-0000-000000000000"
            raise UserError(f"{source or 'subscription_id'}: {message}", file=None if source else self._file) from None

    @cached_property
    def workspace_id(self) -> str:
        """The workspace's id in Azure Resource Manager. Raises UserError."""
        self._check_coordinates()
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.environment.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.environment.workspace}"
        )

    @cached_property
    def credential(self) -> TokenCredential:
        """Who calls; see `amlops.azure.credentials`. Raises UserError."""
        self._check_packages()
        return credentials.find().credential

    @cached_property
    def ml(self) -> MLClient:
        """The client of the workspace; making it asks Azure nothing.

        Raises:
            UserError: azure-ai-ml is not installed, or the environment's file lacks where the workspace is.
        """
        self._check_coordinates()
        subscription_id = self.subscription_id
        self._check_packages()
        from azure.ai.ml import MLClient

        return MLClient(
            self.credential,
            subscription_id,
            self.environment.resource_group,
            self.environment.workspace,
            show_progress=sys.stderr.isatty(),
            enable_telemetry=False,
        )

    @cached_property
    def rest(self) -> ResourceManager:
        """What Resource Manager answers, as JSON; see `ResourceManager`."""
        return ResourceManager(self)

    @cached_property
    def front_end(self) -> FrontEnd:
        """What Azure ML's front end in the region answers, as JSON; see `FrontEnd`."""
        return FrontEnd(self)

    def physical(self, endpoint: str) -> str:
        """The name of an endpoint in Azure, by its name in the project's files. A physical name stays as it is."""
        return self.environment.endpoints.get(endpoint, endpoint)

    def with_logical_endpoint(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A deployment's data with its endpoint's name in the project's files, which rendering makes physical."""
        named = str(data["endpoint_name"])
        logical = {physical: name for name, physical in self.environment.endpoints.items()}
        return {**data, "endpoint_name": logical.get(named, named)}

    @contextmanager
    def rendered(self, file: Path, data: Mapping[str, Any] | None = None) -> Iterator[Path]:
        """The path of a copy of `file` that has this environment's names, for as long as the block lasts.

        A file outside the folders that `amlops render` copies is loaded where it lies.

        Args:
            data: what the file is to say instead, for example with the changes of `--set`; not for a file that is
                loaded where it lies: see `source`.

        Raises:
            UserError: the file is missing, or a name in the project's files has no entry in the environment's file.
        """
        file = Path(os.path.abspath(file))  # noqa: PTH100 (without `..`, and links as they are)
        if not file.is_file():
            raise UserError("the file does not exist", file=file)
        try:
            relative = file.relative_to(self.project.root)
        except ValueError:
            relative = None
        if relative is None or relative.parts[0] not in FOLDERS:
            yield file
            return
        # Below the project: relative paths between two drives of Windows cannot be written.
        parent = self._state_folder()
        with tempfile.TemporaryDirectory(prefix="render-", dir=parent, ignore_cleanup_errors=True) as folder:
            render(self.project, self.environment, Path(folder), instead={} if data is None else {relative: data})
            copy = Path(folder) / relative
            yield copy if copy.is_file() else file

    @contextmanager
    def source(self, file: Path, data: Mapping[str, Any]) -> Iterator[tuple[IO[str], Path]]:
        """What azure-ai-ml's loaders take: the text of `data` with this environment's names, and its `relative_origin`.

        Args:
            file: where `data` was read from; one that does not exist stands for flags alone.

        Raises:
            UserError: see `rendered`.
        """
        if not file.is_file():
            yield io.StringIO(yaml.safe_dump(dict(data), allow_unicode=True)), file
            return
        with self.rendered(file, data) as path:
            is_copy = path != Path(os.path.abspath(file))  # noqa: PTH100
            text = path.read_text(encoding="utf-8") if is_copy else yaml.safe_dump(dict(data), allow_unicode=True)
            yield io.StringIO(text), path

    def _state_folder(self) -> Path:
        from amlops.local.state import LocalState

        state = LocalState(self.project)
        state.prepare()
        return state.root

    @property
    def _file(self) -> Path:
        return self.environment.file

    def _check_coordinates(self) -> None:
        for name in _NAMES:
            if not getattr(self.environment, name):
                raise UserError(f"{name}: is empty; {_HANDOVER}", file=self._file)

    def _check_packages(self) -> None:
        """Raise UserError when the packages for Azure are not installed."""
        _silence()  # before the first import: it warns already
        try:
            import azure.ai.ml
            import azure.identity  # noqa: F401
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("azure"):
                raise
            raise UserError(f"--env {self.environment.name}: azure-ai-ml is not installed; {_SETUP}") from None
        _silence()  # again: azure-ai-ml sets the level of its logger when it is imported

    def __repr__(self) -> str:
        return f"AzureContext({self.environment.name!r}, {shown(self.project.root)!r})"


def _silence() -> None:
    """Keep the SDKs' own talk off the terminal: every fault comes as an exception, and is told in one line."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for module in ("azure", "msrest", "marshmallow", "msal"):
        warnings.filterwarnings("ignore", module=rf"{module}(\..*)?")
