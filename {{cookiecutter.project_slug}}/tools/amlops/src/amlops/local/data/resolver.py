"""From what a person wrote to a file or folder of this machine.

data = LocalData(project, state)
found = data.find("azureml:digits@latest", "uri_folder", Path.cwd())     # checked; nothing is fetched yet
path = data.fetch(found, job_folder / "inputs" / "images")
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from amlops import references
from amlops.errors import UserError
from amlops.jobspec.model import InputValue, JobSpec
from amlops.jobspec.values import check_type, local_path
from amlops.local.data import blobfolders, downloads
from amlops.local.data.assets import LocalDataAssets
from amlops.local.data.datastores import Datastores
from amlops.local.data.joboutputs import job_output
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.references import WebAddress

EXAMPLES = f"./images, azureml:images@latest, {references.DATASTORE_EXAMPLE} or https://example.com/image.png"


class LocalData:
    """Finds data by path, `azureml:name:version`, `azureml:name@latest`, `azureml://datastores/…`,
    `azureml://jobs/…/outputs/…` and https address. The same for inputs of jobs and of batch endpoints.
    """

    def __init__(self, project: Project, state: LocalState) -> None:
        self._state = state
        self.datastores = Datastores(project, state)
        self.assets = LocalDataAssets(project, state, self.datastores)

    def find(self, value: str, type: str | None, base: Path) -> Path | WebAddress:
        """What `value` means; everything that is on this machine is checked, nothing is fetched.

        Args:
            type: uri_file, uri_folder, mltable or a model's; None takes what is there.
            base: folder that a relative path starts from.

        Raises:
            UserError: one line without a field's name.
        """
        if not references.is_remote(value) or value.startswith("file:"):
            try:
                return _typed(local_path(value, base), type, value)
            except ValueError as error:
                raise UserError(str(error)) from None
        if references.is_web_address(value):
            downloads.check(value)
            if type not in (None, "uri_file") and not blobfolders.has_folders(value):
                raise UserError(
                    f"'{references.without_secrets(value)}' is an address of one file; use type uri_file, or put the "
                    "folder into a data store (folders are fetched from public containers of Azure's blob storage only)"
                )
            return WebAddress(value, type or "uri_file")
        if found := references.datastore_path(value):
            return _typed(_existing(self.datastores.path(found), value), type, value)
        if output := references.job_output(value):
            return _typed(job_output(output, self._state), type, value)
        return self._asset(value, type, base)

    def fetch(self, found: Path | WebAddress, folder: Path) -> Path:
        """The local path of what `find` returned; what is at an https address is fetched into `folder`.

        Raises:
            UserError: it cannot be fetched; `folder` then has nothing of it.
        """
        if isinstance(found, Path):
            return found
        from amlops.local.data.progress import download_progress  # rich takes a moment to import

        with download_progress() as watcher:
            if found.type == "uri_file":
                return downloads.download(found.address, folder, watcher=watcher)
            return blobfolders.download_folder(found.address, folder, watcher)

    def resolve(self, value: str, type: str | None, base: Path, folder: Path) -> Path:
        """`find` and `fetch` in one."""
        return self.fetch(self.find(value, type, base), folder)

    def fetched(self, spec: JobSpec, job: str) -> JobSpec:
        """The job with every https address among the inputs of its steps fetched into `inputs/` of the job's folder.

        Each address is fetched once, however many steps read it. Raises UserError.
        """
        folder = self._state.jobs / job / "inputs"
        local: dict[WebAddress, Path] = {}

        def fetch(value: InputValue) -> InputValue:
            if not isinstance(value, WebAddress):
                return value
            if value not in local:
                # A folder for each: two addresses may end with the same name.
                local[value] = self.fetch(value, folder / str(len(local) + 1))
            return local[value]

        steps = {
            name: replace(step, inputs={key: fetch(value) for key, value in step.inputs.items()})
            for name, step in spec.steps.items()
        }
        return replace(spec, steps=steps)

    def output(self, value: str) -> Path:
        """The folder that a batch endpoint writes to: `azureml://datastores/NAME/paths/PATH` in a blob data store.

        Raises:
            UserError: it is no such address, or the data store is of another type. One line without a field's name.
        """
        place = references.datastore_path(value)
        if place is None:
            raise UserError(
                f"'{references.without_secrets(value)}' is not a place to write to; for example ./predictions or "
                "azureml://datastores/workspaceblobstore/paths/predictions"
            )
        path = self.datastores.output(place)
        if path.is_file():
            raise UserError(f"'{value}' is a file; name a folder")
        return path

    def _asset(self, value: str, type: str | None, base: Path) -> Path | WebAddress:
        arm = references.arm_asset(value)
        if arm is not None:
            self.datastores.check_workspace(arm[1], value)
            value = str(arm[0])
        if references.is_address(value):
            raise UserError(f"'{references.without_secrets(value)}' is not reached from the laptop; give {EXAMPLES}")
        asset = self.assets.find(value)
        kind, path = asset.content["type"], asset.content["path"]
        if type is not None and (type == "uri_file") != (kind == "uri_file"):
            raise UserError(f"'{value}' is registered as {kind}; it cannot be used as {type}")
        return self.find(path, kind, base)


def _existing(path: Path, value: str) -> Path:
    if not path.exists():
        raise UserError(f"'{value}' does not exist (looked at {path})")
    return path


def _typed(path: Path, type: str | None, value: str) -> Path:
    if type is not None:
        try:
            check_type(path, type, value)
        except ValueError as error:
            raise UserError(str(error)) from None
    return path
