"""What a job file says, checked: plain values, no YAML left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops.bindings import StepOutput
from amlops.references import WebAddress

LITERAL_TYPES = ("string", "number", "integer", "boolean")
DATA_TYPES = ("uri_file", "uri_folder", "mltable")
MODEL_TYPES = ("custom_model", "mlflow_model", "triton_model")
PATH_TYPES = DATA_TYPES + MODEL_TYPES
# Types whose value is a folder; a model may also be a file, and then the step decides.
FOLDER_TYPES = ("uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")

Literal = str | int | float | bool


@dataclass(frozen=True)
class InputSpec:
    """An input that a component declares. `minimum` and `maximum` are inclusive."""

    name: str
    type: str
    optional: bool = False
    default: Literal | Path | None = None
    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[str, ...] = ()
    mode: str = ""

    @property
    def is_literal(self) -> bool:
        """True for a value that stands in the command as it is; False for a path to data."""
        return self.type in LITERAL_TYPES

    @property
    def required(self) -> bool:
        """True when a step must give a value."""
        return not self.optional and self.default is None


@dataclass(frozen=True)
class OutputSpec:
    """An output that a component or a pipeline declares.

    `asset` is the name under which it is registered once it is written, and `version` the version (None: the next);
    an empty name registers nothing.
    """

    name: str
    type: str = "uri_folder"
    asset: str = ""
    version: str | None = None

    @property
    def is_folder(self) -> bool:
        """True when the folder is made before the step runs; a file is written by the step itself."""
        return self.type in FOLDER_TYPES


@dataclass(frozen=True)
class ParallelTask:
    """What a parallel component does: the `run()` of a script gets an input in mini-batches.

    Attributes:
        entry_script: the script, below the component's code.
        input_data: name of the input that is cut into mini-batches.
        append_row_to: name of the output that gets the rows; None when the script writes them itself.
        settings: what the YAML says of mini-batches, retries, thresholds and workers, with the defaults of Azure ML,
            keys as in the YAML.
    """

    entry_script: Path
    input_data: str
    append_row_to: str | None
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Component:
    """A command and what goes in and out. `code` is the folder the command runs in; None means an empty folder.

    With `parallel`, `command` are the arguments of its script, which may be none.
    """

    name: str
    file: Path
    command: str
    code: Path | None
    inputs: Mapping[str, InputSpec] = field(default_factory=dict)
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)
    parallel: ParallelTask | None = None


InputValue = Literal | Path | WebAddress | StepOutput


@dataclass(frozen=True)
class OutputTarget:
    """Where a step's output goes: to the output `pipeline_output` of the job; else to `path`, an address in a data
    store in which `${{name}}` and `${{default_datastore}}` may stand; else to the step's own folder.
    """

    spec: OutputSpec
    pipeline_output: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class Step:
    """One step. `inputs` has every input that has a value; optional inputs without one are missing. `modes` has those
    of data inputs that say one.

    `after` are steps to wait for beside those whose outputs it reads: a pipeline inside the pipeline starts when all
    its inputs are there, and its outputs are there when all of it is done.
    """

    name: str
    component: Component
    inputs: Mapping[str, InputValue]
    outputs: Mapping[str, OutputTarget]
    environment_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float | None = None
    modes: Mapping[str, str] = field(default_factory=dict)
    after: frozenset[str] = frozenset()

    @property
    def depends_on(self) -> frozenset[str]:
        """Names of the steps that must be done before this one starts."""
        read = (value.step for value in self.inputs.values() if isinstance(value, StepOutput))
        return self.after.union(read)


@dataclass(frozen=True)
class JobSpec:
    """A job. A command job is a job with one step, whose outputs are the job's outputs.

    `inputs` are the values the job was given, for its record: text for literals and paths. The steps of a pipeline
    inside the pipeline are steps of the job, called `outer.inner`. `output_paths` has the addresses in data stores that
    outputs of the job are given, see `OutputTarget`.
    """

    file: Path
    type: str
    name: str | None
    display_name: str
    experiment_name: str
    description: str
    tags: Mapping[str, str]
    inputs: Mapping[str, Literal]
    outputs: Mapping[str, OutputSpec]
    steps: Mapping[str, Step]
    continue_on_step_failure: bool = True
    output_paths: Mapping[str, str] = field(default_factory=dict)
    default_datastore: str = ""
