"""The onboarding request: what a team asks for, in one YAML file.

The model is the only description: the JSON schema for editors, the table in the docs and the checks are made from it.
`load_request` finds every fault of a file in one go, each as one line; what may be meant but needs a look is a warning.
"""

from __future__ import annotations

from amlplatform.request.load import RequestError, check_data, load_request
from amlplatform.request.model import Ci, Cluster, ComputeInstance, Environment, Groups, Owner, Request
from amlplatform.request.review import Quota, quota, undecided, warnings
from amlplatform.request.schema import json_schema

__all__ = [
    "Ci",
    "Cluster",
    "ComputeInstance",
    "Environment",
    "Groups",
    "Owner",
    "Quota",
    "Request",
    "RequestError",
    "check_data",
    "json_schema",
    "load_request",
    "quota",
    "undecided",
    "warnings",
]
