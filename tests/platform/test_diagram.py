"""The picture of an environment says what the plan says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from combinations import Combination
from platform_requests import full

from amlplatform import diagram
from amlplatform.plan import Plan, plan_environment
from amlplatform.request import Request

SVG = "{http://www.w3.org/2000/svg}"
Plans = dict[str, dict[str, Plan]]


def drawing(plan: Plan) -> ElementTree.Element:
    return ElementTree.fromstring(diagram.svg(plan))


def texts(plan: Plan) -> list[str]:
    return [element.text or "" for element in drawing(plan).iter(f"{SVG}text")]


def boxes(plan: Plan) -> dict[str, str]:
    """Name to the classes of its box."""
    found = {}
    for group in drawing(plan).iter(f"{SVG}g"):
        title, shape = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        if title is not None and shape is not None and "box" in shape.get("class", ""):
            found[title.text or ""] = shape.get("class", "")
    return found


def test_open_and_closed_are_drawn_as_planned(plans: Plans) -> None:
    dev, prod = plans["full"]["dev"], plans["full"]["prod"]
    assert "over the internet, with an Entra identity" in texts(dev)
    assert "jobs: managed network, approved private endpoints only" in texts(prod)
    for plan, kind in ((dev, "open"), (prod, "closed")):
        drawn = boxes(plan)
        for name in ("workspace", "storage", "lake", "key-vault", "container-registry"):
            assert kind in drawn[plan.resource(name).azure_name], name


def test_people_stand_outside_where_they_may_come_in(plans: Plans) -> None:
    assert "Data scientists" in texts(plans["full"]["dev"])
    assert "no person has a role" in texts(plans["full"]["prod"])


def test_what_is_protected_has_a_lock(plans: Plans) -> None:
    def locks(plan: Plan) -> int:
        return len([group for group in drawing(plan).iter(f"{SVG}g") if group.get("class") == "lock"])

    assert locks(plans["full"]["dev"]) == 0
    assert locks(plans["full"]["prod"]) >= 5


def test_what_differs_is_marked(plans: Plans) -> None:
    plan = plans["full"]["dev"]
    marked = ElementTree.fromstring(diagram.svg(plan, ["workspace"]))
    shapes = [shape for shape in marked.iter(f"{SVG}rect") if "differs" in shape.get("class", "")]
    assert len(shapes) == 1


def test_a_closed_environment_without_a_way_in_says_so() -> None:
    data = full()
    del data["environments"]["prod"]["subnets"]
    plan = plan_environment(Request.model_validate(data), "prod")
    assert "no way in yet: no subnet for private endpoints" in texts(plan)


def test_central_resources_are_drawn_as_existing() -> None:
    data = Combination("prod", "own-vnet", (), ("central logs", "central registry", "central lake")).request()
    drawn = boxes(plan_environment(Request.model_validate(data), "prod"))
    assert [name for name, kind in drawn.items() if "central" in kind] == ["dlcentral", "crcentral", "log-central"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", 'a"b&c'])
def test_what_a_request_says_is_escaped(text: str) -> None:
    data = full()
    data["ci"] = {
        "provider": "azure-devops",
        "repository": f"org/proj/{text.replace('/', '-')}",
        "runner": "self-hosted",
    }
    svg = diagram.svg(plan_environment(Request.model_validate(data), "dev"))
    assert "<script" not in svg
    ElementTree.fromstring(svg)
