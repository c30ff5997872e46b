"""Which `az ml` command does what a verb asks."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from amlops import references, yamlfile
from amlops.entities import Model
from amlops.errors import AzCommand, UserError
from amlops.jobspec import overrides
from amlops.jobspec.loader import check_is_job
from amlops.project import Environment, Project
from amlops.workspace import CompareOptions, Record
from amlops.workspace.jobs import LogFile


class AzCli:
    """Builds `az ml` commands for one environment."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project = project
        self._environment = environment
        self._rendered = f"build/{environment.name}"

    def answer(self, *words: str | None) -> NoReturn:
        """Raise AzCommand with `az ml WORDS` in the environment's workspace. Words that are None are left out."""
        environment = self._environment
        scope = ["--resource-group", environment.resource_group, "--workspace-name", environment.workspace]
        if environment.subscription_id:
            scope += ["--subscription", environment.subscription_id]
        command = shlex.join(["az", "ml", *[word for word in words if word is not None], *scope])
        raise AzCommand(
            f"--env {environment.name}: amlops does not reach Azure yet; run "
            f"`amlops render --env {environment.name} -o {self._rendered}` and then `{command}`",
            command,
        )

    def file(self, path: Path | None) -> list[str]:
        """`--file` with the rendered copy of a project's file."""
        if path is None:
            return []
        try:
            relative = path.absolute().relative_to(self._project.root)
        except ValueError:
            return ["--file", path.as_posix()]
        return ["--file", f"{self._rendered}/{Path(os.path.normpath(relative)).as_posix()}"]

    def endpoint(self, name: str | None) -> str | None:
        """The physical name of an endpoint."""
        return self._environment.endpoints.get(name, name) if name else name

    def local_path(self, path: Path) -> str:
        """A path as it should stand in the command, which is run in the project's root."""
        return self._project.shown(path.absolute())


def options_of(**values: object) -> list[str]:
    """{"mini_batch_size": 5, "name": None} -> ["--mini-batch-size", "5"]; True gives a flag without a value."""
    words: list[str] = []
    for key, value in values.items():
        if value is None or value is False or value == "":
            continue
        words.append(f"--{key.replace('_', '-')}")
        if value is not True:
            words.append(str(value))
    return words


def sets_of(sets: Sequence[str]) -> list[str]:
    return ["--set", *sets] if sets else []


def tags_of(tags: Mapping[str, str] | None) -> list[str]:
    return ["--tags", *[f"{key}={value}" for key, value in tags.items()]] if tags else []


class AzCliJobs:
    """See `amlops.workspace.Jobs`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(
        self,
        file: Path,
        *,
        sets: Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> Record:
        document = yamlfile.load(file)
        check_is_job(document, sets)
        sets = overrides.spelled_out(document, sets, Path.cwd())
        all_sets = [*sets, *[f"tags.{key}={value}" for key, value in (tags or {}).items()]]
        self._az.answer(
            "job", "create", *self._az.file(file), *options_of(name=name, stream=stream), *sets_of(all_sets)
        )

    def show(self, name: str) -> Record:
        self._az.answer("job", "show", *options_of(name=name))

    def resume(self, name: str, *, sets: Sequence[str] = ()) -> Record:  # noqa: ARG002
        raise UserError(f"--env: Azure cannot resume job '{name}'; invoke the endpoint again")

    def replay(self, name: str, *, job_name: str | None = None, sets: Sequence[str] = ()) -> Record:  # noqa: ARG002
        raise UserError(f"--env: Azure cannot replay job '{name}'; invoke the endpoint with the items that failed")

    def list(self, *, max_results: int | None = None, parent_job_name: str | None = None) -> list[Record]:
        self._az.answer("job", "list", *options_of(max_results=max_results, parent_job_name=parent_job_name))

    def wait(
        self,
        name: str,
        *,
        timeout_minutes: float | None = None,  # noqa: ARG002
        tell: Callable[[str], None] | None = None,  # noqa: ARG002
    ) -> Record:
        self._az.answer("job", "stream", *options_of(name=name))  # az has no verb that waits without logs

    def stream(self, name: str, write: Callable[[str], None]) -> Record:  # noqa: ARG002 (az writes itself)
        self._az.answer("job", "stream", *options_of(name=name))

    def logs(self, name: str) -> Sequence[LogFile]:
        # az prints no log but that of a stream; download gets them.
        self._az.answer("job", "download", *options_of(name=name))

    def cancel(self, name: str) -> Record:
        self._az.answer("job", "cancel", *options_of(name=name))

    def download(
        self, name: str, *, output_name: str | None = None, download_path: Path | None = None, everything: bool = False
    ) -> Sequence[Path]:
        path = None if download_path is None else self._az.local_path(download_path)
        words = options_of(name=name, output_name=output_name, download_path=path, all=everything)
        self._az.answer("job", "download", *words)


class AzCliModels:
    """See `amlops.workspace.Models`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(
        self,
        name: str,
        path: Path | str,
        *,
        type: str = "custom_model",
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Model:
        words = options_of(
            name=name,
            version=version,
            path=path if isinstance(path, str) else self._az.local_path(path),
            type=type,
            description=description,
        )
        sets = [f"properties.{key}={value}" for key, value in (properties or {}).items()]
        self._az.answer("model", "create", *words, *tags_of(tags), *sets_of(sets))

    def list(self, name: str | None = None, tags: Mapping[str, str] | None = None) -> list[Model]:
        # az has no filter by tags, and lists no tags unless a name is given (Azure/azure-sdk-for-python issue 40680).
        conditions = " && ".join(f"tags.\"{key}\" == '{value}'" for key, value in (tags or {}).items())
        self._az.answer("model", "list", *options_of(name=name, query=f"[?{conditions}]" if conditions else None))

    def show(self, name: str, version: str | None = None) -> Model:
        which = {"label": "latest"} if version in (None, "latest") else {"version": version}
        self._az.answer("model", "show", *options_of(name=name, **which))

    def update(
        self, name: str, version: str, *, tags: Mapping[str, str | None] | None = None, description: str | None = None
    ) -> Model:
        sets = [f"tags.{key}={value}" for key, value in (tags or {}).items() if value is not None]
        sets += [f"description={description}"] if description is not None else []
        removed = [f"tags.{key}" for key, value in (tags or {}).items() if value is None]
        words = options_of(name=name, version=version)
        self._az.answer("model", "update", *words, *sets_of(sets), *(["--remove", *removed] if removed else []))

    def download(self, name: str, version: str, download_path: Path) -> Path:
        path = self._az.local_path(download_path)
        self._az.answer("model", "download", *options_of(name=name, version=version, download_path=path))


class AzCliBatchEndpoints:
    """See `amlops.workspace.BatchEndpoints`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        self._az.answer(
            "batch-endpoint", "create", *self._az.file(file), *options_of(name=self._az.endpoint(name)), *sets_of(sets)
        )

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        self._az.answer(
            "batch-endpoint", "update", *options_of(name=self._az.endpoint(name)), *self._az.file(file), *sets_of(sets)
        )

    def show(self, name: str) -> Record:
        self._az.answer("batch-endpoint", "show", *options_of(name=self._az.endpoint(name)))

    def list(self) -> list[Record]:
        self._az.answer("batch-endpoint", "list")

    def delete(self, name: str) -> Record:
        self._az.answer("batch-endpoint", "delete", *options_of(name=self._az.endpoint(name), yes=True))

    def invoke(
        self,
        name: str,
        *,
        input: str | None = None,
        input_type: str | None = None,
        deployment_name: str | None = None,
        mini_batch_size: int | None = None,
        instance_count: int | None = None,
        output_path: str | None = None,
        overwrite: bool = False,
        workers: int | None = None,
        job_name: str | None = None,
        sets: Sequence[str] = (),
        file: Path | None = None,
    ) -> Record:
        if overwrite:
            raise UserError("--overwrite: Azure ML replaces no output; for example --set output_file_name=second.csv")
        if workers is not None:
            raise UserError("--workers: Azure ML always has processes; --env local runs the script in this one")
        words = options_of(
            name=self._az.endpoint(name),
            file=None if file is None else self._az.local_path(file),
            input=input if input is None or references.is_remote(input) else self._az.local_path(Path(input)),
            input_type=input_type,
            deployment_name=deployment_name,
            mini_batch_size=mini_batch_size,
            instance_count=instance_count,
            output_path=output_path,
            job_name=job_name,
        )
        # Paths of inputs start at the shell's folder here; the command is run in the project's root.
        sets = overrides.spelled_out(yamlfile.YamlFile(Path.cwd() / "invocation", {}), sets, Path.cwd())
        self._az.answer("batch-endpoint", "invoke", *words, *sets_of(sets))

    def list_jobs(self, name: str) -> list[Record]:
        self._az.answer("batch-endpoint", "list-jobs", *options_of(name=self._az.endpoint(name)))


class AzCliBatchDeployments:
    """See `amlops.workspace.BatchDeployments`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        set_default: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        words = options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name), set_default=set_default)
        self._az.answer("batch-deployment", "create", *self._az.file(file), *words, *sets_of(sets))

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        words = options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name))
        self._az.answer("batch-deployment", "update", *words, *self._az.file(file), *sets_of(sets))

    def show(self, name: str, endpoint_name: str) -> Record:
        self._az.answer(
            "batch-deployment", "show", *options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name))
        )

    def list(self, endpoint_name: str) -> list[Record]:
        self._az.answer("batch-deployment", "list", *options_of(endpoint_name=self._az.endpoint(endpoint_name)))

    def delete(self, name: str, endpoint_name: str) -> Record:
        words = options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name), yes=True)
        self._az.answer("batch-deployment", "delete", *words)

    def compare(self, name: str, other: str, endpoint_name: str, options: CompareOptions) -> Record:
        raise UserError(
            "compare: az ml has no such command; run it without --env on this machine, or invoke both there: amlops "
            f"batch-endpoint invoke --name {endpoint_name} --deployment-name {name} --input {options.input} --env dev "
            f"--print-az, and the same with {other}"
        )

    def list_jobs(self, name: str, endpoint_name: str) -> list[Record]:
        words = options_of(name=name, endpoint_name=self._az.endpoint(endpoint_name))
        self._az.answer("batch-deployment", "list-jobs", *words)
