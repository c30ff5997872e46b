"""The release files of a project, `.cloud/release/<workload>.yml`, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amlops import yamlfile
from amlops.errors import UserError
from amlops.project import Project
from amlops.validate.schema.release import Batch, RealTime, Rollout, Stress
from amlops.validate.schema.release import Release as Shape
from amlops.yamlfile import YamlFile

FOLDER = Path(".cloud") / "release"


@dataclass(frozen=True)
class EndpointRelease:
    """An endpoint: its name in the project, its file, and that of its deployment."""

    name: str
    endpoint: Path
    deployment: Path


@dataclass(frozen=True)
class BatchRelease(EndpointRelease):
    """A batch endpoint, and what a new deployment scores first."""

    trial: Path | None


@dataclass(frozen=True)
class RealTimeRelease(EndpointRelease):
    """A real-time endpoint, and how a new deployment gets its traffic."""

    smoke: Path | None
    requests: Path
    rollout: Rollout
    stress: Stress | None


@dataclass(frozen=True)
class Release:
    """What CI does for a workload.

    Attributes:
        workload: name of the file, without its ending.
        pipeline: the job that trains.
        model: name of the model that it registers.
        images: whether CI builds the images of the deployments, so that they are named by digest.
    """

    file: Path
    workload: str
    pipeline: Path
    model: str
    images: bool
    batch: tuple[BatchRelease, ...]
    real_time: tuple[RealTimeRelease, ...]

    @property
    def deployments(self) -> tuple[Path, ...]:
        """The deployment files."""
        return tuple(one.deployment for one in (*self.batch, *self.real_time))


def find(project: Project) -> list[Release]:
    """The releases of a project, by workload.

    Raises:
        UserError: there is none, or something in one of them is wrong.
    """
    files = sorted((project.root / FOLDER).glob("*.yml"))
    if not files:
        raise UserError(
            f"release: the project has no file in {FOLDER.as_posix()}/; docs/ci.md shows one, for example "
            f"{(FOLDER / 'image-scoring.yml').as_posix()}"
        )
    return [read(file, project) for file in files]


def read(file: Path, project: Project) -> Release:
    """Read one release file. Raises UserError with the line of what is wrong."""
    from amlops.local.batch import documents

    document = documents.checked(yamlfile.load(file), "release", project)
    shape = Shape.model_validate(document.data)
    return Release(
        file=file,
        workload=file.stem,
        pipeline=document.resolve(shape.pipeline),
        model=shape.model,
        images=shape.images,
        batch=tuple(BatchRelease(*_endpoint(document, one), _optional(document, one.trial)) for one in shape.batch),
        real_time=tuple(
            RealTimeRelease(
                *_endpoint(document, one),
                smoke=_optional(document, one.smoke),
                requests=document.resolve(one.requests),
                rollout=one.rollout,
                stress=one.stress,
            )
            for one in shape.real_time
        ),
    )


def _endpoint(document: YamlFile, one: Batch | RealTime) -> tuple[str, Path, Path]:
    """The fields of an `EndpointRelease`. Raises UserError."""
    return _name(document, one.endpoint), document.resolve(one.endpoint), document.resolve(one.deployment)


def _optional(document: YamlFile, path: str) -> Path | None:
    return document.resolve(path) if path else None


def _name(document: YamlFile, endpoint: str) -> str:
    """The name that an endpoint file gives. Raises UserError."""
    found = yamlfile.load(document.resolve(endpoint))
    name = found.get("name")
    if not isinstance(name, str) or not name:
        raise found.error("must be the name of the endpoint; for example image-scoring", "name")
    return name
