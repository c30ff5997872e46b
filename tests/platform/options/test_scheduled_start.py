"""The scheduled start: called by its schedule alone, and calling with its identity."""

from __future__ import annotations

from typing import Any

import pytest
from data_options import asked, assigned, body, faults, plan_of, planned

from amlplatform.components.options.scheduled_start import definition
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.recorder import invented_principal_id
from amlplatform.roles import ROLES

pytestmark = pytest.mark.slow

NOBODY = {"allowedCallerIpAddresses": [{"addressRange": "0.0.0.0-0.0.0.0"}]}


def test_it_invokes_the_batch_endpoint_with_its_identity_and_no_key() -> None:
    app = body(planned("dev", "public-dev", "scheduled_start"), "logic-app")
    (action,) = app["definition"]["actions"].values()
    assert action["type"] == "Http"
    assert action["inputs"] == {
        "method": "POST",
        # The endpoint's name in Azure, which the project's deployment gives it, too.
        "uri": "https://image-scoring-dev-k3x9a.westeurope.inference.ml.azure.com/jobs",
        "headers": {"Content-Type": "application/json"},
        "body": {
            "properties": {
                "InputData": {
                    "input": {"JobInputType": "UriFolder", "Uri": "azureml://datastores/lake_curated/paths/readings/"}
                }
            }
        },
        "authentication": {"type": "ManagedServiceIdentity", "audience": "https://ml.azure.com"},
        "retryPolicy": {"type": "exponential", "count": 4, "interval": "PT30S"},
    }
    assert action["runtimeConfiguration"]["secureData"] == {"properties": ["inputs", "outputs"]}
    assert planned("dev", "public-dev", "scheduled_start").resource("logic-app").body["identity"] == {
        "type": "SystemAssigned"
    }


def test_nobody_starts_it_or_reads_what_it_sent() -> None:
    app = body(planned("dev", "public-dev", "scheduled_start"), "logic-app")
    assert [trigger["type"] for trigger in app["definition"]["triggers"].values()] == ["Recurrence"]
    assert app["accessControl"] == {"triggers": NOBODY, "contents": NOBODY}


def test_schedules_of_dev_are_made_switched_off_and_those_of_prod_run() -> None:
    assert body(planned("dev", "public-dev", "scheduled_start"), "logic-app")["state"] == "Disabled"
    run = {name: profile.options.schedules_run for name, profile in ENVIRONMENT_PROFILES.items()}
    assert run == {"dev": False, "test": False, "prod": True}


def test_its_identity_may_invoke_and_reads_what_the_batch_reads() -> None:
    """A batch job reads its input, and writes to the data stores, as the one who invoked it."""
    plan = planned("dev", "public-dev", "scheduled_start")
    app = invented_principal_id("logic-digit-scoring-dev")

    def roles(resource: str) -> set[str]:
        return {role for who, kind, role in assigned(plan, resource) if (who, kind) == (app, "ServicePrincipal")}

    assert roles("workspace") == {ROLES["AzureML Data Scientist"].role_id}
    assert roles("lake-curated") == {ROLES["Storage Blob Data Reader"].role_id}
    assert roles("lake-output") == roles("storage") == {ROLES["Storage Blob Data Contributor"].role_id}
    assert roles("lake-raw") == roles("key-vault") == set()


def test_the_request_says_when_and_what() -> None:
    fields: dict[str, Any] = {"batch_endpoint": "churn", "folder": "sales/eu", "every_hours": 24}
    app = body(plan_of(asked("dev", "public-dev", scheduled_start=fields), "dev"), "logic-app")
    assert app["definition"] == definition(
        address="https://churn-dev-k3x9a.westeurope.inference.ml.azure.com/jobs",
        folder="azureml://datastores/lake_curated/paths/sales/eu/",
        hours=24,
    )
    (trigger,) = app["definition"]["triggers"].values()
    assert trigger["recurrence"] == {"frequency": "Hour", "interval": 24}


@pytest.mark.parametrize("network", [name for name, profile in NETWORK_PROFILES.items() if profile.private])
def test_a_closed_workspace_cannot_be_reached_and_it_is_refused(network: str) -> None:
    (fault,) = faults(asked("prod", network, "scheduled_start"))
    why = "a Consumption Logic App has no way to a workspace that is closed to the internet"
    assert fault == (
        f"environments.prod.options.scheduled_start: does not go with network '{network}': {why}; leave it out"
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"batch_endpoint": "Image_Scoring"}, "batch_endpoint: 'Image_Scoring' must be 3 to 32 lower-case letters"),
        (
            {"batch_endpoint": "scoring-of-images-of-digits"},
            "gives a name that Azure refuses: endpoint: 'scoring-of-images-of-digits-dev-k3x9a' has 37 characters",
        ),
        ({"folder": "../secrets"}, "folder: '../secrets' must be a path of letters"),
        ({"every_hours": 0}, "every_hours"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(fields: dict[str, Any], told: str) -> None:
    (fault,) = faults(asked("dev", "public-dev", scheduled_start=fields))
    assert fault.startswith("environments.dev.options.scheduled_start.")
    assert told in fault


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    assert [one.name for one in planned("dev", "public-dev", "sql").resources if "Logic" in one.arm_type] == []
