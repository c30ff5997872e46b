"""The JSON schema of a request, for editors."""

from __future__ import annotations

from typing import Any

from amlplatform import rules, vm_sizes
from amlplatform.profiles import ENVIRONMENT_PROFILES, EnvironmentProfile
from amlplatform.request.crosschecks import required_environments
from amlplatform.request.model import Request


def json_schema() -> dict[str, Any]:
    """The JSON schema of a request (draft 2020-12), with the rules of each environment written out for editors."""
    schema = Request.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    environments = schema["properties"]["environments"]
    environments.pop("additionalProperties", None)
    environments["additionalProperties"] = False
    environments["required"] = required_environments()
    environments["properties"] = {name: _environment_schema(profile) for name, profile in ENVIRONMENT_PROFILES.items()}
    schema["allOf"] = [_repository_schema(provider, pattern) for provider, pattern in _REPOSITORY_PATTERNS.items()]
    gpu_less = [size.name for size in vm_sizes.all_sizes() if not size.gpus]
    schema["$defs"]["Environment"]["properties"]["gpu_cluster"]["not"] = {
        "type": "object", "required": ["vm_size"], "properties": {"vm_size": {"enum": gpu_less}},
    }  # fmt: skip
    return schema


_REPOSITORY_PATTERNS = {
    "github": rules.REPOSITORY_PATTERN,
    "azure-devops": rules.AZURE_DEVOPS_REPOSITORY_PATTERN,
}


def _repository_schema(provider: str, pattern: str) -> dict[str, Any]:
    repository = {"anyOf": [{"const": ""}, {"pattern": pattern}]}
    ci = {"properties": {"provider": {"const": provider}}, "required": ["provider"]}
    return {
        "if": {"properties": {"ci": ci}, "required": ["ci"]},
        "then": {"properties": {"ci": {"properties": {"repository": repository}}}},
    }


def _environment_schema(profile: EnvironmentProfile) -> dict[str, Any]:
    narrower: dict[str, Any] = {"network": {"enum": list(profile.networks)}}
    if not profile.people:
        narrower["compute_instances"] = {"maxItems": 0}
    return {
        "description": profile.summary,
        "allOf": [{"$ref": "#/$defs/Environment"}, {"properties": narrower}],
    }
