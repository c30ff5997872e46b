"""The onboarding request of a new project is what the platform accepts, and both call things by the same names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from template_support import Renders, Template, every_combination

from amlplatform.names import Names
from amlplatform.request import load_request


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@every_combination
def test_the_platform_accepts_the_request(renders: Renders, answers: dict[str, str]) -> None:
    request = load_request(renders(**answers) / ".cloud" / "request.yaml")
    assert request.product == "digit-scoring"
    assert request.ci.provider == answers["ci"]


@every_combination
def test_environments_have_the_names_that_the_platform_plans(renders: Renders, answers: dict[str, str]) -> None:
    project = renders(**answers)
    request = load_request(project / ".cloud" / "request.yaml")
    for name in request.environments:
        names = Names(request.product, name, request.name_suffix)
        environment = load(project / ".cloud" / "environments" / f"{name}.yml")
        assert environment == {
            "environment": name,
            "subscription_id": "",
            "resource_group": names.resource_group,
            "workspace": names.workspace,
            "location": request.region,
            "registry": names.container_registry,
            "endpoints": {
                logical: names.endpoint(logical)
                for logical in ("image-scoring", "image-scoring-online", "image-scoring-k8s")
            },
            "compute": {each: each for each in ("cpu-cluster", "gpu-cluster", "kubernetes")},
        }


def test_the_same_answers_give_the_same_names(template: Template, tmp_path: Path) -> None:
    first, second, other = (
        load(template.render(tmp_path / name / "out", owner_email=email) / ".cloud" / "request.yaml")
        for name, email in (("a", "a@example.com"), ("b", "a@example.com"), ("c", "c@example.com"))
    )
    assert first["name_suffix"] == second["name_suffix"] != other["name_suffix"]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(min_size=1, max_size=70),
    description=st.text(max_size=260),
    cost_centre=st.text(alphabet="0123456789eE.xCc-", min_size=1, max_size=8),
)
def test_any_answer_is_refused_or_gives_a_request_that_the_platform_accepts(
    template: Template, tmp_path_factory: pytest.TempPathFactory, name: str, description: str, cost_centre: str
) -> None:
    # Answers are Jinja for cookiecutter itself; what a person writes between braces is not the template's matter.
    answers = {"project_name": name, "description": description, "cost_centre": cost_centre}
    answers = {field: re.sub(r"\{[{%#]", "(", value) for field, value in answers.items()}
    output = tmp_path_factory.mktemp("any") / "out"
    try:
        project = template.render(output, **answers)
    except SystemExit:
        assert not output.exists()
        return
    request = load_request(project / ".cloud" / "request.yaml")
    assert request.description == answers["description"]
    assert request.cost_centre == answers["cost_centre"]
