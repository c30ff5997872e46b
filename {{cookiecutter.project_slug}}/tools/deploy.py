"""Deploy this commit to an environment in Azure, in three steps with a sign-in of their own each.

    python tools/tasks.py deploy submit  --env dev     checks the compute, starts the training jobs of this commit
    python tools/tasks.py deploy wait    --env dev     until they have ended
    python tools/tasks.py deploy release --env dev     endpoint, deployment, a trial run, and only then the default

CI signs in before each step: the token of a CI job cannot be renewed, and training takes longer than it lives.
`--dry-run` prints the `az` commands and starts none. The commands work on the files that `amlops render` writes to
build/<environment>/.

Exit codes: 0 done, 1 a file is wrong or the sign-in fails, 2 usage, 3 a job in Azure failed or takes too long.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
FAILED = {"Failed", "Canceled", "NotResponding"}
ENDED = FAILED | {"Completed"}
POLL_SECONDS = 30
# A little less than an access token lives.
WAIT_MINUTES = 50
QUIET = ("--output", "none")
TEXT = ("--output", "tsv")


class DeployFault(Exception):
    """One line for the person who reads the CI log."""


class JobFailed(Exception):
    """A job in Azure did not complete; one line."""


@dataclass(frozen=True)
class Environment:
    """Coordinates from `.cloud/environments/<name>.yml`."""

    name: str
    values: dict[str, Any]

    @property
    def build(self) -> Path:
        """Where the rendered files and the names of the started jobs lie."""
        return PROJECT / "build" / self.name

    @property
    def scope(self) -> list[str]:
        """Flags that tell `az ml` which workspace is meant. Without a subscription the one of the sign-in counts."""
        flags = ["--resource-group", self.values["resource_group"], "--workspace-name", self.values["workspace"]]
        subscription = self.values.get("subscription_id")
        return [*flags, "--subscription", subscription] if subscription else flags


@dataclass
class AzureCli:
    """Starts `az` and shows each command first."""

    environment: Environment
    dry_run: bool = False
    program: str = field(init=False, default="az")

    def __post_init__(self) -> None:
        found = shutil.which("az")
        if found is None and not self.dry_run:
            raise DeployFault("az: the Azure CLI is not on PATH; install it, or see the commands with --dry-run")
        self.program = found or "az"

    def ml(self, *words: str) -> str:
        """`az ml WORDS` in the environment's workspace; what it printed. Raises DeployFault."""
        return self._start("ml", *words, *self.environment.scope)

    def install_extension(self) -> None:
        """The `ml` extension, where it is missing."""
        self._start("extension", "add", "--name", "ml", "--yes")

    def report(self, line: str) -> None:
        """Tell what has been done; in a dry run nothing has."""
        if not self.dry_run:
            print(line, flush=True)

    def _start(self, *words: str) -> str:
        print(f"+ az {shlex.join(words)}", flush=True)
        if self.dry_run:
            return ""
        result = subprocess.run(
            [self.program, *words], cwd=PROJECT, stdout=subprocess.PIPE, encoding="utf-8", check=False
        )
        if result.returncode:
            command = shlex.join(("az", *words[:3]))
            raise DeployFault(f"az: `{command}` ended with exit code {result.returncode} (its reason stands above)")
        return result.stdout.strip()


def load_environment(name: str) -> Environment:
    """Raises DeployFault when the project has no such environment in Azure, or its coordinates are missing."""
    folder = PROJECT / ".cloud" / "environments"
    names = sorted(path.stem for path in folder.glob("*.yml") if path.stem != "local")
    if name not in names:
        raise DeployFault(f"--env: '{name}' is not an environment in Azure; one of {', '.join(names)}")
    values = yaml.safe_load((folder / f"{name}.yml").read_text(encoding="utf-8"))
    for key in ("resource_group", "workspace", "compute", "endpoints"):
        if not values.get(key):
            raise DeployFault(f".cloud/environments/{name}.yml: '{key}' is missing; the hand-over fills it in")
    return Environment(name, values)


def render(environment: Environment, *, dry_run: bool) -> None:
    """Write the Azure ML files with the names of this environment. Raises DeployFault."""
    target = environment.build.relative_to(PROJECT).as_posix()
    words = ["-m", "amlops", "render", "--env", environment.name, "-o", target]
    print(f"+ python {shlex.join(words)}", flush=True)
    if not dry_run and subprocess.run([sys.executable, *words], cwd=PROJECT, check=False).returncode:
        raise DeployFault(f"amlops: the files could not be rendered for {environment.name} (the reason stands above)")


def pipelines() -> dict[str, Path]:
    """Training pipeline of each workload, relative to the project."""
    return {path.parent.name: path.relative_to(PROJECT) for path in sorted(PROJECT.glob("pipelines/*/train.yml"))}


def endpoints() -> dict[str, Path]:
    """Folder of each batch endpoint by its logical name, relative to the project."""
    found = sorted(PROJECT.glob(".cloud/endpoints/*/endpoint.yml"))
    files = [path for path in found if "batchEndpoint" in path.read_text(encoding="utf-8")]
    return {path.parent.name: path.parent.relative_to(PROJECT) for path in files}


def commit() -> str:
    """The commit that is deployed, 12 characters. Raises DeployFault outside a repository."""
    command = ["git", "rev-parse", "HEAD"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        raise DeployFault("git: there is no commit to deploy; for example: git commit -am 'first version'")
    return result.stdout.strip()[:12]


def submit(environment: Environment, az: AzureCli) -> None:
    """Check that the clusters exist, and start the training jobs of this commit that neither run nor have completed."""
    render(environment, dry_run=az.dry_run)
    az.install_extension()
    for cluster in environment.values["compute"].values():
        az.ml("compute", "show", "--name", cluster, *QUIET)
    jobs = {workload: _start_job(environment, az, workload, path) for workload, path in pipelines().items()}
    if az.dry_run:
        return
    environment.build.mkdir(parents=True, exist_ok=True)
    _jobs_file(environment).write_text(json.dumps(jobs, indent=2) + "\n", encoding="utf-8")


def _start_job(environment: Environment, az: AzureCli, workload: str, path: Path) -> str:
    """Name of the training job. It carries the commit, so that a CI job that is run again finds what it started."""
    stem = f"{workload}-{commit()}"
    query = f"[?starts_with(name, '{stem}')].{{name: name, status: status}}"
    known = json.loads(az.ml("job", "list", "--max-results", "200", "--query", query, "--output", "json") or "[]")
    for job in known:
        if job["status"] not in FAILED:
            print(f"{job['name']}: is {job['status']} already")
            return job["name"]
    name = f"{stem}-{len(known) + 1}"
    file = (environment.build / path).relative_to(PROJECT).as_posix()
    az.ml("job", "create", "--file", file, "--name", name, *QUIET)
    az.report(f"{name}: started")
    return name


def _jobs_file(environment: Environment) -> Path:
    return environment.build / "jobs.json"


def wait(environment: Environment, az: AzureCli) -> None:
    """Wait for the jobs that `submit` started. Raises JobFailed."""
    if az.dry_run:
        names = [f"{workload}-{commit()}-1" for workload in pipelines()]
    else:
        try:
            names = list(json.loads(_jobs_file(environment).read_text(encoding="utf-8")).values())
        except FileNotFoundError:
            example = f"python tools/tasks.py deploy submit --env {environment.name}"
            raise DeployFault(f"wait: no job was started for {environment.name} here; first: {example}") from None
    for name in names:
        _wait_for(az, name)


def _wait_for(az: AzureCli, job: str) -> None:
    """Look at the job's status until it ends. Reads no logs: these lie in a storage account that CI may not reach."""
    deadline = time.monotonic() + WAIT_MINUTES * 60
    last = ""
    while True:
        status = az.ml("job", "show", "--name", job, "--query", "status", *TEXT)
        if az.dry_run or status == "Completed":
            return
        if status in ENDED:
            scope = shlex.join(az.environment.scope)
            raise JobFailed(f"{job}: {status}; its logs: az ml job stream --name {job} {scope}")
        if time.monotonic() > deadline:
            raise JobFailed(f"{job}: {status} after {WAIT_MINUTES} minutes, it goes on; run this CI job again")
        if status != last:
            print(f"{job}: {status}", flush=True)
        last = status
        time.sleep(POLL_SECONDS)


def release(environment: Environment, az: AzureCli) -> None:
    """Deploy this commit beside what each endpoint serves, try it by name, then make it the default.

    The deployment that was the default before stays, to go back to; older ones are deleted.
    """
    render(environment, dry_run=az.dry_run)
    az.install_extension()
    for logical, folder in endpoints().items():
        _release_endpoint(environment, az, logical, folder)


def _release_endpoint(environment: Environment, az: AzureCli, logical: str, folder: Path) -> None:
    physical = environment.values["endpoints"].get(logical)
    if not physical:
        file, example = f".cloud/environments/{environment.name}.yml", f"{logical}: {logical}-dev-a1b2c"
        raise DeployFault(f"{file}: endpoints has no '{logical}'; for example {example}")
    rendered = (environment.build / folder).relative_to(PROJECT)
    # A name of its own for each commit: what is the default goes on serving until the trial has ended well.
    deployment = f"r-{commit()}"
    query = f"[?name=='{physical}'] | [0].defaults.deployment_name"
    current = az.ml("batch-endpoint", "list", "--query", query, *TEXT)
    # `create` overwrites; without its default the endpoint would serve nobody until the end.
    keep = ["--set", f"defaults.deployment_name={current}"] if current else []
    files = {kind: ["--file", (rendered / f"{kind}.yml").as_posix()] for kind in ("endpoint", "deployment")}
    az.ml("batch-endpoint", "create", *files["endpoint"], *keep, *QUIET)
    endpoint = ["--endpoint-name", physical]
    az.ml("batch-deployment", "create", *files["deployment"], "--name", deployment, *endpoint, *QUIET)
    _try_deployment(az, logical, physical, deployment)
    az.ml("batch-endpoint", "update", "--name", physical, "--set", f"defaults.deployment_name={deployment}", *QUIET)
    az.report(f"{physical}: {deployment} is the default")
    known = json.loads(az.ml("batch-deployment", "list", *endpoint, "--query", "[].name", "--output", "json") or "[]")
    for name in known:
        if name not in {deployment, current}:
            az.ml("batch-deployment", "delete", "--name", name, *endpoint, "--yes", *QUIET)


def _try_deployment(az: AzureCli, logical: str, physical: str, deployment: str) -> None:
    """Score the few items of tests/smoke/<endpoint>/ with the new deployment, while the old default still serves."""
    items = Path("tests") / "smoke" / logical
    if not (PROJECT / items).is_dir():
        print(f"{physical}: not tried, there is no folder {items.as_posix()}")
        return
    target = ["--name", physical, "--deployment-name", deployment]
    source = ["--input", items.as_posix(), "--input-type", "uri_folder"]
    job = az.ml("batch-endpoint", "invoke", *target, *source, "--query", "name", *TEXT)
    _wait_for(az, job or "the-job-of-this-trial")


STEPS: dict[str, Callable[[Environment, AzureCli], None]] = {"submit": submit, "wait": wait, "release": release}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--env", required=True, help="dev or prod")
    parser.add_argument("--dry-run", action="store_true", help="print the az commands, start none")
    options = parser.parse_args(arguments)
    try:
        environment = load_environment(options.env)
        STEPS[options.step](environment, AzureCli(environment, options.dry_run))
    except DeployFault as fault:
        print(f"deploy: {fault}", file=sys.stderr)
        return 1
    except JobFailed as fault:
        print(f"deploy: {fault}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
