"""Every rule of `amlops validate`, once: its id, what it means, whether it fails the run.

`docs/validate.md` is made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        warning: it is printed and does not fail the run.
        taken: Azure ML takes a file with such a fault when a deployment is created, so `batch-deployment create` tells
            it and goes on; what is wrong shows when the job runs, or only in Azure.
    """

    id: str
    meaning: str
    warning: bool = False
    taken: bool = False


_RULES = (
    # any file
    Rule("yaml", "The file is not readable YAML: its syntax, a key twice, text that is not UTF-8."),
    Rule("unknown-kind", "It cannot be told what the file is; `$schema` or `type` says it.", warning=True),
    Rule("unknown-key", "A key that this kind of file does not have, or that has no effect there."),
    Rule("missing-key", "A key that this kind of file needs."),
    Rule("wrong-type", "A value of the wrong type, such as text for a number."),
    Rule("not-allowed", "A value that is not one of the allowed words."),
    Rule("out-of-range", "A number outside its range, such as `mini_batch_size: 0`."),
    Rule("bad-name", "A name with characters or a length that Azure does not allow for it."),
    Rule("duplicate-name", "Two files of one kind with the same name."),
    # references
    Rule("missing-file", "A file or folder that does not exist: code, script, component, conda file, data, model."),
    Rule("asset-reference", "A reference to an asset that is malformed, or without version or label."),
    Rule("compute-reference", "A compute target that is not written `azureml:NAME`."),
    Rule("unknown-compute", "A compute target that no environment of the project has.", warning=True),
    Rule("no-compute", "A step without a compute target, in a job without `settings.default_compute`."),
    Rule("no-environment", "An environment with neither `image` nor `build`, or with both.", taken=True),
    # pipelines and commands
    Rule("binding", "A `${{…}}` expression that is malformed or names something that does not exist."),
    Rule("undeclared", "An input or output that the component or the job does not declare."),
    Rule("missing-input", "A step without a value for an input that its component needs."),
    Rule("literal", "A literal of another type than the component declares, or outside its range."),
    Rule("type-mismatch", "An output or input of one type bound to an input of another."),
    Rule("optional-input", "An optional input that stands in the command outside `$[[…]]`."),
    Rule("unused-input", "A declared input or output that no command and no step uses.", warning=True),
    Rule("cycle", "Steps that wait for each other, or a pipeline that contains itself."),
    Rule("partition-key", "A partition key that the data of a parallel step does not have."),
    Rule("threshold", "An `error_threshold` that the input of a parallel step is too small to exceed.", warning=True),
    Rule("lost-nodes", "A deployed pipeline with a step on several nodes: Azure ML loses their number.", warning=True),
    Rule("without-effect", "A key that another one makes meaningless.", warning=True),
    Rule("shell", "A command that needs a shell (`&&`, a pipe, `$VAR`): steps are run without one."),
    Rule("laptop", "Something that runs in Azure but not on the laptop.", warning=True),
    Rule("datastore-path", "An address in a data store that is malformed, or leaves the store."),
    Rule("unknown-datastore", "A data store that neither a workspace nor the project's files have.", warning=True),
    # batch endpoints
    Rule("batch-output", "An output of a batch endpoint in a data store that is not of type blob."),
    Rule("old-form", "A batch deployment in the old form: settings at its root, or without `type`.", warning=True),
    Rule("endpoint-name", "A deployment whose `endpoint_name` is no endpoint of the project."),
    Rule("default-deployment", "`defaults.deployment_name` that is no deployment of the endpoint."),
    Rule("script-syntax", "A scoring script that is not Python."),
    Rule(
        "script",
        "A scoring script without `init()` and `run(mini_batch)`, or whose result cannot be counted.",
        taken=True,
    ),
    Rule("script-arguments", "A scoring script with `parse_args()`: Azure ML passes options of its own.", taken=True),
    Rule("online-script", "A scoring script written for an online endpoint, as AutoML writes it.", taken=True),
    Rule(
        "script-output",
        "A scoring script that writes to its working folder, which is thrown away, or always to one name.",
        warning=True,
    ),
    Rule("batch-environment", "A curated environment: not allowed for batch deployments.", taken=True),
    Rule("no-script", "A deployment without `code_configuration`: that is for MLflow models only."),
    # real-time endpoints
    Rule("traffic", "Traffic that does not sum to 100, or goes to a deployment that the project does not have."),
    Rule("request-script", "A scoring script of an online deployment without `init()` and `run(raw_data)`."),
    # computes, schedules
    Rule("instances", "`min_instances` above `max_instances`."),
    Rule("always-on", "A cluster that keeps nodes at rest, which cost money day and night.", warning=True),
    Rule("cron", "A cron expression that is malformed or out of range."),
    Rule("cron-days", "Days or months of a cron expression: Azure ML ignores them.", warning=True),
    Rule("time-quotes", "A date without quotes in a schedule: `az ml` refuses it, `amlops` sends it.", warning=True),
    Rule("time-zone", "A time zone that is not one of the Windows names Azure ML takes."),
    # dependencies, code, the tool
    Rule("conda", "A conda file that conda cannot read, or that lacks Python or pip."),
    Rule("dependency", "A package in another version than in requirements.txt, or not in it.", warning=True),
    Rule("log-model", "`mlflow.<flavour>.log_model`: with MLflow 3 it gets 404 from Azure ML.", warning=True),
    Rule("tool-edited", "A file of tools/amlops that was changed by hand; an upgrade will meet it.", warning=True),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}
