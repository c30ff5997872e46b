"""Which keys each kind of job file has (azure-ai-ml 1.35.2: CommandJobSchema, PipelineJobSchema,
CommandComponentSchema, CommandSchema, and those of parallel and pipeline components and steps; the tests compare).

A key that is known is read, or means nothing on a laptop. `REFUSED` ones would change what the job does and are not
done here. The shapes of `amlops validate` have the same keys; they are not imported here because that takes longer
than starting a job.
"""

from __future__ import annotations

from difflib import get_close_matches

from amlops.yamlfile import Section

_RESOURCE = {"$schema", "name", "display_name", "description", "tags", "properties"}
_RUN = {"command", "code", "environment", "resources", "distribution", "inputs", "outputs"}
_JOB = {"type", "experiment_name", "compute", "identity", "services"}

_COMMAND = _RESOURCE | _RUN | _JOB | {"environment_variables", "limits", "queue_settings"}
COMMAND_JOB = _COMMAND | {"parent_job_name"}
PIPELINE_JOB = _RESOURCE | _JOB | {"settings", "inputs", "outputs", "jobs", "component"}
COMMAND_COMPONENT = (_RESOURCE | _RUN) | {
    "type", "version", "is_deterministic", "additional_includes", "queue_settings", "auto_delete_setting",
}  # fmt: skip
COMMAND_STEP = _COMMAND | {"component", "comment"}
# What a parallel component and a step that runs one both say; a step's own value wins.
PARALLEL_SETTINGS = {
    "input_data", "mini_batch_size", "partition_keys", "resources", "max_concurrency_per_instance", "retry_settings",
    "error_threshold", "mini_batch_error_threshold", "logging_level",
}  # fmt: skip
_COMPONENT = _RESOURCE | {"type", "version", "is_deterministic", "auto_delete_setting", "inputs", "outputs"}
PARALLEL_COMPONENT = _COMPONENT | PARALLEL_SETTINGS | {"task"}
PARALLEL_TASK = {"type", "code", "entry_script", "environment", "program_arguments", "append_row_to", "model"}
_STEP = _RESOURCE | {"type", "component", "comment", "inputs", "outputs"}
PARALLEL_STEP = _STEP | PARALLEL_SETTINGS | {
    "task", "environment_variables", "compute", "identity", "experiment_name",
}  # fmt: skip
PIPELINE_COMPONENT = _COMPONENT | {"jobs"}
PIPELINE_STEP = _STEP | {"compute", "settings"}
SETTINGS = {
    "default_compute", "default_datastore", "default_environment", "continue_on_step_failure", "force_rerun", "on_init",
    "on_finalize",
}  # fmt: skip
COMPONENT_INPUT = {"type", "description", "optional", "default", "mode", "min", "max", "enum"}
COMPONENT_OUTPUT = {"type", "description", "mode", "early_available"}
JOB_INPUT = {"type", "path", "mode", "datastore", "path_on_compute", "value"}
JOB_OUTPUT = {"type", "path", "mode", "name", "version"}

REFUSED = {
    "additional_includes": "extra folders are not copied on the laptop; put the shared code below 'code'",
    "model": "the laptop gives a parallel task no model; give it as an input",
    "on_init": "steps before and after the pipeline are not run on the laptop",
    "on_finalize": "steps before and after the pipeline are not run on the laptop",
}


def check_keys(section: Section, known: set[str], what: str) -> None:
    """Raise UserError for a key that `what` does not have, or that is refused."""
    for key, value in section.values.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; a {what} has: {', '.join(sorted(known))}"
            raise section.error(f"is not a key of a {what}{hint}", key)
        if key in REFUSED and value:
            raise section.error(REFUSED[key], key)
