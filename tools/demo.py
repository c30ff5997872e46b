"""The whole product on one machine: a project, its pipeline on real digits, and its dev and prod environments.

    python3 tools/demo.py [--output DIR]         (`make demo` runs it with DIR build/demo)

Everything is made in DIR, the template's Python environments under `.tools/`. No account is needed, and nothing else is
changed. A second run replaces what the first one made and keeps the project's Python environment.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from envs import ROOT, cookiecutter_python, environment, infra_python

# Ids that belong to nobody: the offline Azure does not ask whether they exist.
DEMO_GROUP = "00000000-0000-4000-8000-000000000001"
DEMO_SUBSCRIPTION = "00000000-0000-4000-8000-000000000002"
DEMO_HUB = f"/subscriptions/{DEMO_SUBSCRIPTION}/resourceGroups"
DEMO_SUBNET = f"{DEMO_HUB}/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-data/subnets/snet-endpoints"
DEMO_DNS_ZONES = f"{DEMO_HUB}/rg-dns"
ENVIRONMENTS = ("dev", "prod")


class DemoError(Exception):
    """A step did not end well; its own output has said why."""


@dataclass
class Record:
    """How long each step took, and what is worth looking at."""

    times: list[tuple[str, float]] = field(default_factory=list)
    results: list[tuple[str, Path]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        print(f"\n[{len(self.times) + 1}] {title}", flush=True)
        start = time.monotonic()
        yield
        self.times.append((title, time.monotonic() - start))

    def summary(self) -> str:
        times = [*self.times, ("all", sum(seconds for _, seconds in self.times))]
        width = max(len(title) for title, _ in times)
        label_width = max(len(label) for label, _ in self.results)
        lines = ["", "Time"]
        lines += [f"  {title:<{width}}  {seconds:6.1f} s" for title, seconds in times]
        lines += ["", "Look at"]
        lines += [f"  {label:<{label_width}}  {_shown(path)}" for label, path in self.results]
        lines += ["", "The next demo replaces this project. For one of your own: docs/using-the-template.md"]
        return "\n".join(lines)


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def run(*command: str | Path, cwd: Path = ROOT, quiet: bool = False, **variables: str) -> None:
    """Run a command with its output on this terminal, or only its errors. Raises DemoError when it fails."""
    words = [str(word) for word in command]
    output = subprocess.DEVNULL if quiet else None
    code = subprocess.run(words, cwd=cwd, env={**os.environ, **variables}, stdout=output, check=False).returncode
    if code:
        raise DemoError(f"`{' '.join([Path(words[0]).name, *words[1:]])}` ended with exit code {code}")


def empty(folder: Path) -> Path | None:
    """Empty the folder of an earlier demo. Its project's Python environment is kept aside and returned."""
    kept = folder / ".venv-of-the-project"
    folder.mkdir(parents=True, exist_ok=True)
    for venv in folder.glob("*/.venv"):
        shutil.rmtree(kept, ignore_errors=True)
        venv.rename(kept)
    for path in folder.iterdir():
        if path.is_dir() and path != kept:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    return kept if kept.exists() else None


def make_project(python: Path, output: Path) -> Path:
    """Make a project with the default answers; the user's own cookiecutter settings and cache are left alone."""
    kept = empty(output)
    settings = output / "cookiecutter.yaml"
    folders = {key: output / ".cookiecutter" / key for key in ("cookiecutters_dir", "replay_dir")}
    settings.write_text("".join(f'{key}: "{path.as_posix()}"\n' for key, path in folders.items()), encoding="utf-8")
    command = (python, "-m", "cookiecutter", ROOT, "--no-input", "--output-dir", output)
    run(*command, COOKIECUTTER_CONFIG=str(settings))
    project = next(path.parent for path in output.glob("*/.cloud"))
    if kept:
        kept.rename(project / ".venv")
    return project


def run_pipelines(project: Path) -> None:
    """What `make setup` and `make run` of the project do, with the uv that is here already."""
    for task in ("setup", "run"):
        run(sys.executable, project / "tools" / "tasks.py", task, cwd=project, UV=str(environment.find_uv()))


def bring_up(python: Path, request: Path, product: str, platform: Path) -> None:
    """Onboard the request in a platform repository of its own and bring both stacks up with the real engine."""
    amlplatform = (python, "-m", "amlplatform")
    subscriptions = [f"--subscription={name}={DEMO_SUBSCRIPTION}" for name in ENVIRONMENTS]
    print(
        "(group, network and subscriptions are made up: the offline Azure does not ask whether they exist)", flush=True
    )
    for words in (("init", platform), ("onboard", request, "--project", platform, *subscriptions)):
        run(*amlplatform, *words, quiet=True)
    for name in ENVIRONMENTS:
        command = ("pulumi", "up", "--stack", f"{product}-{name}", "--yes", "--skip-preview")
        run(*amlplatform, "offline", "--project", platform, "--", *command)


def with_ids(request: Path, target: Path) -> Path:
    """A copy of the request with what `onboard` insists on: a group, and the way into the closed network. Made up."""
    text = request.read_text(encoding="utf-8")
    for empty_value, value in (
        ('data_scientists: ""', f'data_scientists: "{DEMO_GROUP}"'),
        ('endpoints: ""', f'endpoints: "{DEMO_SUBNET}"'),
        ('dns_zones: ""', f'dns_zones: "{DEMO_DNS_ZONES}"'),
        ("runner: hosted", "runner: self-hosted"),
    ):
        text = text.replace(empty_value, value)
    target.write_text(text, encoding="utf-8")
    return target


def pulumi_is_there() -> bool:
    """Whether a Pulumi CLI is on PATH or was built by `make pulumi`."""
    built = ROOT / ".tools" / "bin" / ("pulumi.exe" if os.name == "nt" else "pulumi")
    return shutil.which("pulumi") is not None or built.exists()


def demo(output: Path) -> Record:
    """All steps. Raises DemoError at the first that fails."""
    record = Record()
    with record.step("Python environments for the template and the platform"):
        template, infra = cookiecutter_python(), infra_python()
    with record.step("A project from the template, default answers"):
        project = make_project(template, output)
    with record.step("The project's pipeline and batch endpoint, on this machine"):
        run_pipelines(project)
    request, page = project / ".cloud" / "request.yaml", output / "plan.html"
    with record.step("Its dev and prod environments, planned"):
        run(infra, "-m", "amlplatform", "plan", request, "--html", page)
    if pulumi_is_there():
        with record.step("Both environments brought up: real Pulumi engine, offline Azure"):
            bring_up(infra, with_ids(request, output / "request-with-ids.yaml"), project.name, output / "platform")
        record.results.append(("platform repository", output / "platform"))
    else:
        print("\n(`make pulumi` builds the Pulumi engine; then this demo brings both environments up, too.)")
    reports = [(f"report of {path.parent.name}", path) for path in sorted(project.glob("build/*/report.html"))]
    record.results = [("project", project), *reports, ("plan of dev and prod", page), *record.results]
    return record


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "demo", help="folder to make everything in")
    output = parser.parse_args().output.resolve()
    if output.is_dir() and any(output.iterdir()) and not (output / "cookiecutter.yaml").exists():
        rule = "is not empty and holds no earlier demo; name a new folder, for example build/demo"
        print(f"demo: --output: {output} {rule}", file=sys.stderr)
        return 1
    try:
        record = demo(output)
    except (DemoError, environment.EnvironmentFault) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(record.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
