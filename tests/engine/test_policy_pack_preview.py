"""The policy pack in `pulumi preview`, with the real engine: what the engine sends is what the rules understand."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from engine_support import PRODUCT, REQUEST, LiveProject, amlplatform, explained

pytestmark = pytest.mark.engine

DEV, PROD = f"{PRODUCT}-dev", f"{PRODUCT}-prod"
EXCEPTION = {
    "purpose": "log-reader",
    "group": "9a1b2c3d-0000-4000-8000-000000000001",
    "reason": "On-call reads logs at night",
    "until": "2099-12-31",
}
# As a pull request would: the program is left as it is, and one value is changed on its way to the engine.
ATTACK = """
import pulumi

def changed(args):
    if args.name == "lake":
        args.props["allow_shared_key_access"] = True
        args.props["public_network_access"] = "Enabled"
    if args.name == "workspace":
        args.opts.protect = False
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(changed)
"""


@pytest.fixture(scope="module")
def project(pulumi_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """A live project whose request lets a group read the logs of prod: the pack has to look that up."""
    folder = tmp_path_factory.mktemp("pack")
    data = yaml.safe_load(REQUEST.read_text(encoding="utf-8"))
    data["environments"]["prod"]["access_exceptions"] = [EXCEPTION]
    request = folder / "request.yaml"
    request.write_text(yaml.safe_dump(data), encoding="utf-8")
    live = LiveProject(folder / "live")
    for arguments in (("init", live.folder), ("onboard", request, "--project", live.folder)):
        result = amlplatform(*arguments)
        assert result.returncode == 0, explained(result)
    return live


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_what_is_built_breaks_no_policy(project: LiveProject, stack: str) -> None:
    preview = project.pulumi("preview", stack, "--policy-pack", "policy-pack")
    assert preview.returncode == 0, explained(preview)
    assert "amlplatform@v" in preview.stdout, "the pack did not run"
    assert "[mandatory]" not in preview.stdout, explained(preview)
    if stack == PROD:
        assert "log-reader-log-analytics" in preview.stdout, explained(preview)


def test_an_attack_fails_the_preview_and_builds_nothing(project: LiveProject, tmp_path: Path) -> None:
    attacked = project.copied_to(tmp_path / "attacked")
    program = attacked.folder / "__main__.py"
    program.write_text(ATTACK + program.read_text(encoding="utf-8"), encoding="utf-8")
    preview = attacked.pulumi("preview", PROD, "--policy-pack", "policy-pack")
    assert preview.returncode != 0, explained(preview)
    # One that sees a resource, one that sees options, and one that sees the whole stack.
    for rule in ("storage-keys-off", "data-protected", "network-properties-fit-together"):
        assert f"[mandatory]  {rule}  (azure-native:" in preview.stdout, explained(preview)
    up = attacked.pulumi("up", PROD, "--skip-preview", "--policy-pack", "policy-pack")
    assert up.returncode != 0, explained(up)
    assert not [one for one in attacked.ids() if "/storageAccounts/dl" in one]
