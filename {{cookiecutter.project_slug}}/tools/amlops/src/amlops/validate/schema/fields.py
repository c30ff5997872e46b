"""Types of single values: what Azure ML accepts, told in words that help.

A validator raises `broken(rule, message, fix)`; `message` says what is wrong with the value, `fix` what to write
instead.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from amlops import bindings, references

# Endpoint and deployment names: Azure ML, "Manage resources and quotas": 3 to 32 characters, a letter first, letters,
# digits, dashes.
_ENDPOINT_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{1,30})[A-Za-z0-9]")
# ARM: workspaces/computes.
_COMPUTE_NAME = re.compile(r"[A-Za-z](?!.*-$)[A-Za-z0-9-]{1,31}")
# ARM: modelContainers, dataContainers, environmentContainers.
_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
# azure-ai-ml: ComponentNameStr, PipelineNodeNameStr.
_COMPONENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,254}")
_STEP_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_IO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The old driver of parallel jobs refuses these characters.
OUTPUT_FILE_FORBIDDEN = '~"#%&*:<>?/\\{|}'


def broken(rule: str, message: str, fix: str) -> PydanticCustomError:
    """The error of a validator. Braces in the texts are kept as they are."""
    return PydanticCustomError("amlops", "{message}", {"rule": rule, "message": message, "fix": fix})


class Shape(BaseModel):
    """Base of every mapping: a key that is not declared is a fault."""

    model_config = ConfigDict(extra="forbid", defer_build=True, arbitrary_types_allowed=True, populate_by_name=False)


def _named(pattern: re.Pattern[str], rule_in_words: str, example: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise broken("bad-name", f"'{value}' must be {rule_in_words}", f"for example {example}")
        return value

    return check


def one_of(*values: str) -> AfterValidator:
    """One of a few words; Azure ML does not look at their case."""

    def check(value: str) -> str:
        if value.lower() not in values:
            raise broken("not-allowed", f"'{value}' is not allowed", f"use {' or '.join(values)}")
        return value.lower()

    return AfterValidator(check)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise broken("wrong-type", f"'{str(value).lower()}' is not a number", "for example 10")
    return value


def _variable(value: Any) -> Any:
    """Azure's client writes numbers and booleans of environment variables as text."""
    return str(value) if isinstance(value, int | float) else value


def _version(value: Any) -> Any:
    """Azure ML reads 1 and 1.0 as text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _moment(value: Any) -> Any:
    """YAML makes a date of an unquoted one."""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    try:
        datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise broken("wrong-type", f"'{value}' is not a date and time", "for example '2026-01-31T06:00:00'") from None
    return value


def _compute(value: str) -> str:
    if bindings.has_expression(value) or (value.startswith("azureml:") and len(value) > len("azureml:")):
        return value
    raise broken(
        "compute-reference",
        f"'{value}' does not name a compute target",
        "write azureml:NAME, for example azureml:cpu-cluster",
    )


def _compute_or(*words: str) -> Callable[[str], str]:
    return lambda value: value if value in words else _compute(value)


def _asset(value: str) -> str:
    """A registered asset with its version or label, or an address in a registry."""
    if bindings.has_expression(value) or value.startswith(("azureml://", "azureml:/subscriptions/")):
        return value
    fix = "for example azureml:my-asset:1 or azureml:my-asset@latest"
    if not references.is_reference(value):
        raise broken("asset-reference", f"'{value}' is not a reference to a registered asset", fix)
    try:
        reference = references.parse(value)
    except ValueError:
        raise broken("asset-reference", f"'{value}' is not a reference to a registered asset", fix) from None
    if reference.version is None and reference.label is None:
        raise broken(
            "asset-reference", f"'{value}' has neither version nor label", f"for example {value}@latest or {value}:1"
        )
    return value


def _output_file_name(value: str) -> str:
    bad = sorted({character for character in value if character in OUTPUT_FILE_FORBIDDEN})
    if bad or value in ("", ".", ".."):
        what = f"'{value}' has {' '.join(bad)}" if bad else f"'{value}' is not a file name"
        raise broken("bad-name", f"{what}, which a file name must not", "for example predictions.csv")
    return value


Text = str
Whole = Annotated[int, BeforeValidator(_no_boolean)]
Number = Annotated[float, BeforeValidator(_no_boolean)]
Count = Annotated[Whole, Field(ge=0)]
Positive = Annotated[Whole, Field(ge=1)]
Version = Annotated[
    str, BeforeValidator(_version), AfterValidator(_named(_VERSION, "letters, digits, '.', '-' and '_'", "1 or 2026.1"))
]
Moment = Annotated[str, BeforeValidator(_moment)]
# Azure stores tags as text; the SDK takes numbers and turns them into text.
Tags = dict[str, Any]
Variables = dict[str, Annotated[str, BeforeValidator(_variable)]]

EndpointName = Annotated[
    str,
    AfterValidator(
        _named(
            _ENDPOINT_NAME,
            "3 to 32 letters, digits and '-', starting with a letter, not ending with '-'",
            "image-scoring",
        )
    ),
]
ComputeName = Annotated[
    str,
    AfterValidator(
        _named(
            _COMPUTE_NAME, "2 to 32 letters, digits and '-', starting with a letter, not ending with '-'", "cpu-cluster"
        )
    ),
]
AssetName = Annotated[
    str, AfterValidator(_named(_ASSET_NAME, "letters, digits, '-' and '_', starting with a letter or digit", "digits"))
]
ComponentName = Annotated[
    str,
    AfterValidator(
        _named(_COMPONENT_NAME, "lower-case letters, digits and '_', starting with a letter", "prepare_images")
    ),
]
StepName = Annotated[
    str, AfterValidator(_named(_STEP_NAME, "lower-case letters, digits and '_', not starting with a digit", "train"))
]
IoName = Annotated[
    str, AfterValidator(_named(_IO_NAME, "letters, digits and '_', not starting with a digit", "min_accuracy"))
]
Compute = Annotated[str, AfterValidator(_compute)]
ComputeOrLocal = Annotated[str, AfterValidator(_compute_or("local"))]
ComputeOrServerless = Annotated[str, AfterValidator(_compute_or("serverless"))]
AssetReference = Annotated[str, AfterValidator(_asset)]
OutputFileName = Annotated[str, AfterValidator(_output_file_name)]
