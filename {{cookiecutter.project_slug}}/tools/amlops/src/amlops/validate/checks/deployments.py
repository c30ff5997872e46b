"""Batch deployments of type pipeline: the component, the compute of its steps, the endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from amlops import references
from amlops.validate.checks.batch import endpoint_name_faults
from amlops.validate.checks.steps import mapping, step_of
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import YamlFile


def deployment_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a pipeline deployment."""
    yield from endpoint_name_faults(document, context)
    component, job = document.get("component"), document.get("job_definition")
    if bool(component) == bool(job):
        text = "has both component and job_definition" if component else "has neither component nor job_definition"
        yield fault_at(document, "missing-key", text, "keep one of them, for example component: ./pipeline.yml")
        return
    keys = ("component",)
    if isinstance(job, dict):
        component, keys = job.get("component"), ("job_definition", "component")
    elif job is not None and not references.is_reference(job):
        yield fault_at(document, "asset-reference", f"'{job}' is not a job", "write azureml:JOB_NAME", "job_definition")
        return
    if not isinstance(component, str):
        return
    step, faults = step_of(document, context, "", keys[:-1], {"type": "pipeline", "component": component})
    yield from faults
    if step.file is None:
        return
    settings = mapping(document.get("settings"))
    if not settings.get("default_compute") and any(not data.get("compute") for data in step.inner):
        fix = "add 'settings: {default_compute: cpu-cluster}'"
        yield fault_at(document, "no-compute", "steps of the pipeline have no compute target", fix, "settings")
    yield from _node_faults(document, step.file, context, keys)


def _node_faults(document: YamlFile, pipeline: YamlFile, context: Context, keys: tuple[str, ...]) -> Iterator[Fault]:
    """Steps on several nodes: a deployed pipeline loses their number (Azure/azureml-examples issue 3610)."""
    for name, data in mapping(pipeline.get("jobs")).items():
        if not isinstance(data, dict):
            continue
        step, _ = step_of(pipeline, context, name, ("jobs", name), data)
        said = [data, mapping(data.get("component")), step.file.data if step.file else {}]
        counts = [mapping(each.get("resources")).get("instance_count") for each in said]
        count = next((count for count in counts if count is not None), 1)
        if isinstance(count, int) and count > 1:
            text = f"its step '{name}' asks for {count} nodes, a number that Azure ML loses when a pipeline is deployed"
            yield fault_at(document, "lost-nodes", text, "see that one node is enough, or watch the first job", *keys)
