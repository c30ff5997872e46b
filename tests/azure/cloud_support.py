"""The offline Azure with the environments of a rendered project, and `amlops` run in that project against it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cookiecutter.main import cookiecutter

from amlplatform.armtypes import catalogue
from amlplatform.cloud import blob_storage, callers
from amlplatform.cloud.callers import PERSON, Caller
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https.azure import Azure, Seen
from amlplatform.cloud.https.behaviour import Behaviour
from amlplatform.cloud.https.server import serving
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import SUBSCRIPTION_ID, TENANT_ID, CloudState
from amlplatform.plan import PlannedResource, plan_environment
from amlplatform.recorder import SUBSCRIPTION_ID as PLANNED_SUBSCRIPTION
from amlplatform.recorder import TENANT_ID as PLANNED_TENANT
from amlplatform.recorder import invented_principal_id
from amlplatform.request import load_request

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "prod")
SCIENTISTS = "0a1b2c3d-0000-4000-8000-00000000005c"
"""Object id of the group of data scientists."""
_TIMEOUT_S = 180
_QUICK = {"polls": 1, "retry_after_s": 0.02}


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line of an error."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


@dataclass
class Cloud:
    """The door, the project, and short ways to both."""

    azure: Azure
    project: Path
    variables: dict[str, str]
    caller: Caller = PERSON
    _start: int = field(default=0, init=False)

    def environment(self, name: str = "dev") -> dict[str, Any]:
        """The environment's file in the project."""
        return yaml.safe_load((self.project / ".cloud" / "environments" / f"{name}.yml").read_text(encoding="utf-8"))

    def workspace_id(self, name: str = "dev") -> str:
        """The id of the workspace of an environment."""
        place = self.environment(name)
        return (
            f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{place['resource_group']}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{place['workspace']}"
        )

    def amlops(self, *words: str | Path, as_: str = "", **variables: str) -> Result:
        """Run `amlops` in the project as a process. `as_`: the identity that calls, else the person."""
        with self.called_by(as_):
            done = subprocess.run(
                [sys.executable, "-m", "amlops", *map(str, words)],
                cwd=self.project,
                env={**inherited(), **self.variables, **variables},
                capture_output=True,
                encoding="utf-8",
                stdin=subprocess.DEVNULL,
                timeout=_TIMEOUT_S,
                check=False,
            )
        return Result(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def called_by(self, identity: str) -> Iterator[None]:
        """The managed identity that the door hands tokens of: name, client id, object id or ARM id; "" the person."""
        usual = self.azure.caller
        self.azure.caller = callers.find(self.identity(identity) if identity else "", self.azure.state)
        try:
            yield
        finally:
            self.azure.caller = usual

    def identity(self, name: str) -> str:
        """The ARM id of a managed identity by its name in Azure; what is no such name is returned as it is."""
        kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
        return next((one["id"] for one in self.azure.state.of_type(kind) if one["name"] == name), name)

    def calls(self, methods: Sequence[str] = ("PUT", "POST", "PATCH", "DELETE"), path: str = "") -> list[Seen]:
        """The requests of this test by these methods whose path has `path` in it, in order."""
        seen = self.azure.seen[self._start :]
        return [one for one in seen if one.method in methods and path.lower() in one.path.lower()]

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """Forget the requests that were made until now; the behaviour is the usual one again afterwards."""
        self._start = len(self.azure.seen)
        usual = self.azure.behaviour
        try:
            yield
        finally:
            self.azure.behaviour = usual

    @contextlib.contextmanager
    def behaving(self, **settings: Any) -> Iterator[Behaviour]:
        """A door that is slow or reluctant; see `Behaviour`."""
        usual = self.azure.behaviour
        self.azure.behaviour = Behaviour(**{**_QUICK, **settings})
        try:
            yield self.azure.behaviour
        finally:
            self.azure.behaviour = usual


def inherited() -> dict[str, str]:
    """The environment of the tests without what names an environment, a CI system or another Azure."""
    names = re.compile(r"AMLOPS_|AZURE|MLFLOW_|ARM_|IDENTITY_|MSI_|ACTIONS_|SYSTEM_|GITHUB_|TF_BUILD|DEFAULT_IDENTITY")
    return {key: value for key, value in os.environ.items() if not names.match(key)}


@contextlib.contextmanager
def opened_cloud(folder: Path) -> Iterator[Cloud]:
    """A rendered project whose dev and prod exist, and the door to them."""
    project = rendered(folder)
    private = folder / "door"
    private.mkdir(mode=0o700)
    with contextlib.closing(CloudState(folder / "azure.sqlite")) as state:
        manager = ResourceManager(state)
        for environment in ENVIRONMENTS:
            provision(project / ".cloud" / "request.yaml", environment, manager)
        azure = Azure(state, manager.acting_as, Behaviour(**_QUICK))
        with serving(azure, private, blob_storage.find()) as variables:
            yield Cloud(azure, project, variables)


def rendered(folder: Path) -> Path:
    """A project made from the template, with a group of data scientists; its environments are in the offline
    subscription.
    """
    settings = folder / "cookiecutter.yaml"
    lines = [f'{name}: "{(folder / name).as_posix()}"\n' for name in ("cookiecutters_dir", "replay_dir")]
    settings.write_text("".join(lines), encoding="utf-8")
    made = cookiecutter(
        str(ROOT),
        no_input=True,
        output_dir=str(folder),
        config_file=str(settings),
        extra_context={"scientists_group": SCIENTISTS},
    )
    project = Path(made)
    for environment in ENVIRONMENTS:
        file = project / ".cloud" / "environments" / f"{environment}.yml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('subscription_id: ""', f'subscription_id: "{SUBSCRIPTION_ID}"'), encoding="utf-8")
    return project


def provision(request: Path, environment: str, manager: ResourceManager) -> None:
    """Put the bodies that the platform plans for an environment into the offline Azure, as Pulumi would."""
    plan = plan_environment(load_request(request), environment)
    known = {PLANNED_SUBSCRIPTION: SUBSCRIPTION_ID, PLANNED_TENANT: TENANT_ID}
    waiting = list(plan.resources)
    while waiting:
        refused = [resource for resource in waiting if not _put(resource, known, manager)]
        if len(refused) == len(waiting):
            _put(refused[0], known, manager, final=True)
        waiting = refused


def _put(resource: PlannedResource, known: dict[str, str], manager: ResourceManager, *, final: bool = False) -> bool:
    """Whether the resource is there now; one that names what is not there yet is tried again later."""
    arm_id = _filled(resource.arm_id, known)
    body = json.loads(_filled(json.dumps(resource.body), known))
    try:
        document = manager.put(catalogue.resource_type(resource.token), arm_id, body)
    except AzureError:
        if final:
            raise
        return False
    principal = _principal(document)
    if principal:
        known[invented_principal_id(resource.azure_name)] = principal
    return True


def _principal(document: Mapping[str, Any]) -> str | None:
    """The object id that Azure gave an identity, or a resource's own."""
    return (document.get("properties") or {}).get("principalId") or (document.get("identity") or {}).get("principalId")


def _filled(text: str, known: Mapping[str, str]) -> str:
    for planned, real in known.items():
        text = text.replace(planned, real)
    return text
