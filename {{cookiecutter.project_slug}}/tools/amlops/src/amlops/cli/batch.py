"""`amlops batch-endpoint` and `amlops batch-deployment`: scoring many files with one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amlops.cli.common import (
    DeploymentName,
    EndpointName,
    Env,
    OfEndpoint,
    Output,
    PrintAz,
    Query,
    Sets,
    Yes,
    confirm_delete,
    emit,
    record_of_failure,
    workspace,
)
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError, shown
from amlops.workspace import CompareOptions, Record

endpoint_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
deployment_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_ENDPOINTS = ("name", "default", "auth_mode", "created_at")
_JOB_FILES = {
    "predictions": "output_file",
    "with types": "typed_file",
    "failed items": "failed_items_file",
    "report": "report_file",
    "logs": "logs",
}
_JOBS = ("name", "deployment_name", "status", "created_at", "duration_s")
_DEPLOYMENTS = ("name", "endpoint_name", "model", "default", "created_at")


@endpoint_app.command("create")
def create_endpoint(
    file: Annotated[Path | None, flag("file")] = None,
    name: Annotated[str | None, flag("name", "Name of the endpoint (default: from the file).")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Make an endpoint, or change the one of that name."""
    chosen_format(output)
    if file is None and name is None:
        raise UsageError("batch-endpoint create: --file or --name is needed; for example --file endpoint.yml")
    with workspace(env, print_az) as ws:
        emit(ws.batch_endpoints.create(file, name=name, sets=sets or []), output, query)


@endpoint_app.command("update")
def update_endpoint(
    name: EndpointName,
    file: Annotated[Path | None, flag("file")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Change an endpoint, for example --set defaults.deployment_name=new."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        emit(ws.batch_endpoints.update(name, file=file, sets=sets or []), output, query)


@endpoint_app.command("show")
def show_endpoint(
    name: EndpointName, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """Show one endpoint."""
    with workspace(env, print_az) as ws:
        emit(ws.batch_endpoints.show(name), output, query)


@endpoint_app.command("list")
def list_endpoints(env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None) -> None:
    """List the endpoints."""
    with workspace(env, print_az) as ws:
        records = ws.batch_endpoints.list()
    if _as_table(output, query):
        records = [{**record, "default": record["defaults"]["deployment_name"]} for record in records]
    emit(records, output, query, _ENDPOINTS)


@endpoint_app.command("list-jobs")
def list_endpoint_jobs(
    name: EndpointName, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """List the jobs of an endpoint, newest first."""
    with workspace(env, print_az) as ws:
        emit(ws.batch_endpoints.list_jobs(name), output, query, _JOBS)


@endpoint_app.command("delete")
def delete_endpoint(name: EndpointName, yes: Yes = False, env: Env = None, print_az: PrintAz = False) -> None:
    """Delete an endpoint and its deployments. Its jobs stay. Asks first."""
    with workspace(env, print_az) as ws:
        command = f"amlops batch-endpoint delete --name {name}"
        confirm_delete(f"the batch endpoint '{name}' and its deployments", command, yes=yes or print_az)
        deployments = ws.batch_endpoints.delete(name)["deployments"]
    also = f" and its deployments: {', '.join(deployments)}" if deployments else ", which had no deployment"
    typer.echo(f"deleted the batch endpoint '{name}'{also}", err=True)


@endpoint_app.command("invoke")
def invoke(
    name: EndpointName,
    input: Annotated[str | None, flag("input")] = None,
    input_type: Annotated[str | None, flag("input-type")] = None,
    deployment_name: Annotated[str | None, flag("deployment-name")] = None,
    mini_batch_size: Annotated[int | None, flag("mini-batch-size")] = None,
    instance_count: Annotated[int | None, flag("instance-count")] = None,
    output_path: Annotated[str | None, flag("output-path")] = None,
    overwrite: Annotated[bool, flag("overwrite")] = False,
    workers: Annotated[int | None, flag("workers", min=0, max=0)] = None,
    job_name: Annotated[str | None, flag("job-name")] = None,
    file: Annotated[Path | None, flag("file", "YAML file with inputs and outputs by name.")] = None,
    sets: Annotated[
        list[str] | None,
        flag("set", "An input, or a setting of this job: --set inputs.mode.default=fast retry_settings.timeout=60."),
    ] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Score files, or run the deployed pipeline, to the end of the job. Exit code 3 when it failed."""
    chosen_format(output)
    with workspace(env, print_az) as ws, record_of_failure(lambda failed: emit_batch_job(failed, output, query)):
        record = ws.batch_endpoints.invoke(
            name,
            input=input,
            input_type=input_type,
            deployment_name=deployment_name,
            mini_batch_size=mini_batch_size,
            instance_count=instance_count,
            output_path=output_path,
            job_name=job_name,
            sets=sets or [],
            file=file,
            overwrite=overwrite,
            workers=workers,
        )
    emit_batch_job(record, output, query)


@deployment_app.command("create")
def create_deployment(
    file: Annotated[Path, flag("file")],
    name: Annotated[str | None, flag("name", "Name of the deployment (default: from the file).")] = None,
    endpoint_name: Annotated[str | None, flag("endpoint-name")] = None,
    set_default: Annotated[bool, flag("set-default")] = False,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Make a deployment, or change the one of that name. It keeps the code and the model as they are now."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        record = ws.batch_deployments.create(
            file, name=name, endpoint_name=endpoint_name, set_default=set_default, sets=sets or []
        )
    _emit_deployment(record, output, query)


@deployment_app.command("update")
def update_deployment(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    file: Annotated[Path | None, flag("file")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Change a deployment, for example --set settings.mini_batch_size=50."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        record = ws.batch_deployments.update(name, endpoint_name, file=file, sets=sets or [])
    _emit_deployment(record, output, query)


@deployment_app.command("show")
def show_deployment(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show one deployment."""
    with workspace(env, print_az) as ws:
        _emit_deployment(ws.batch_deployments.show(name, endpoint_name), output, query)


@deployment_app.command("list")
def list_deployments(
    endpoint_name: OfEndpoint, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """List the deployments of an endpoint."""
    with workspace(env, print_az) as ws:
        records = ws.batch_deployments.list(endpoint_name)
        if _as_table(output, query):
            default = ws.batch_endpoints.show(endpoint_name)["defaults"]["deployment_name"]
            records = [{**record, "default": "yes" if record["name"] == default else ""} for record in records]
    emit([_without_spec(record) for record in records], output, query, _DEPLOYMENTS)


@deployment_app.command("compare")
def compare_deployments(
    name: DeploymentName,
    other: Annotated[str, flag("with")],
    endpoint_name: OfEndpoint,
    input: Annotated[str, flag("input")],
    input_type: Annotated[str | None, flag("input-type")] = None,
    mini_batch_size: Annotated[int | None, flag("mini-batch-size")] = None,
    instance_count: Annotated[int | None, flag("instance-count")] = None,
    key: Annotated[str | None, flag("key")] = None,
    tolerance: Annotated[float, flag("tolerance")] = 1e-6,
    fail_over: Annotated[str | None, flag("fail-over")] = None,
    report: Annotated[Path | None, flag("report")] = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Score the same input with two deployments and tell what differs. Both jobs stay."""
    chosen_format(output)
    with workspace(env) as ws:
        options = CompareOptions(input, input_type, mini_batch_size, instance_count, key, tolerance, fail_over, report)
        with record_of_failure(lambda failed: _emit_comparison(failed, output, query)):
            summary = ws.batch_deployments.compare(name, other, endpoint_name, options)
    _emit_comparison(summary, output, query)
    typer.echo(summary["verdict"], err=True)


@deployment_app.command("list-jobs")
def list_deployment_jobs(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """List the jobs of a deployment, newest first."""
    with workspace(env, print_az) as ws:
        emit(ws.batch_deployments.list_jobs(name, endpoint_name), output, query, _JOBS)


@deployment_app.command("delete")
def delete_deployment(
    name: DeploymentName, endpoint_name: OfEndpoint, yes: Yes = False, env: Env = None, print_az: PrintAz = False
) -> None:
    """Delete a deployment that is not the endpoint's default. Asks first."""
    with workspace(env, print_az) as ws:
        command = f"amlops batch-deployment delete --name {name} --endpoint-name {endpoint_name}"
        confirm_delete(f"the deployment '{name}' of '{endpoint_name}'", command, yes=yes or print_az)
        ws.batch_deployments.delete(name, endpoint_name)
    typer.echo(f"deleted the deployment '{name}' of the batch endpoint '{endpoint_name}'", err=True)


def _emit_comparison(summary: dict[str, Any], output: str | None, query: str | None) -> None:
    """Print a comparison (or the job that failed); as a table the counts and the throughput."""
    if not _as_table(output, query) or "verdict" not in summary:
        emit(summary, output, query)
        return
    items = summary["items"]
    rows: dict[str, Any] = {"items": items["total"], "equal": items["equal"], "different": items["different"]}
    rows |= {kind: number for kind, number in summary["differences"].items() if number}
    for deployment, job in summary["jobs"].items():
        rows[deployment] = f"{job['items_per_second']} items per second, {job['failed']} failed, job {job['name']}"
    rows |= {"differences file": shown(Path(summary["differences_file"])), "report": shown(Path(summary["report"]))}
    emit(rows, output)


def _as_table(output: str | None, query: str | None) -> bool:
    return query is None and chosen_format(output) == "table"


def _without_spec(record: Record) -> Record:
    """A deployment without the copy of its YAML: everything in it stands in the other fields."""
    return {key: value for key, value in record.items() if key != "spec"}


def _emit_deployment(record: Record, output: str | None, query: str | None) -> None:
    emit(_without_spec(record), output, query)


def emit_batch_job(record: dict[str, Any], output: str | None, query: str | None) -> None:
    """Print a job; as a table only what a person wants to know."""
    if "steps" in record:  # of a pipeline deployment
        from amlops.cli.job import emit_job

        emit_job(record, output, query)
        return
    if not _as_table(output, query) or "items" not in record:
        emit(record, output, query)
        return
    items, batches, seconds = record["items"], record["mini_batches"], record["seconds"]
    emit(
        {
            "job": record["name"],
            "status": record["status"],
            "items": f"{items['succeeded']} of {items['total']} scored, {items['failed']} failed",
            "mini-batches": f"{batches['total']}, {record['workers']} worker(s)",
            "time": f"{seconds['total']} s, {record['items_per_second']} items per second",
            **{label: shown(Path(record[key])) for label, key in _JOB_FILES.items() if record.get(key)},
        },
        output,
    )
