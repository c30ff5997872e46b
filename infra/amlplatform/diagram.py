"""One environment as a picture: who comes in which way, what is inside, and by which way jobs reach their data.

Made from the planned bodies, as SVG without scripts or outside files; its colours are those of the page it stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from amlplatform.plan import Plan, PlannedResource

_WIDTH, _MARGIN, _GAP = 440, 12, 10
_BOX_WIDTH, _BOX_HEIGHT = 192, 46
_NAME_LENGTH = 28
"""Characters of a name that fit into a box; a longer one is cut in the middle, its tooltip has it whole."""

# What is drawn, by ARM type: the row it stands in, and what people call it. What is not here is a detail.
_WORK, _DATA, _KEEP, _WATCH = "Work", "Data", "Secrets and images", "Watching"
_ML = "Microsoft.MachineLearningServices"
_BOXES: dict[str, tuple[str, str]] = {
    f"{_ML}/workspaces": (_WORK, "Azure ML workspace"),
    f"{_ML}/workspaces/computes": (_WORK, "Compute"),
    "Microsoft.ContainerService/managedClusters": (_WORK, "Kubernetes"),
    "Microsoft.Databricks/workspaces": (_WORK, "Databricks"),
    "Microsoft.Synapse/workspaces": (_WORK, "Synapse"),
    "Microsoft.DataFactory/factories": (_WORK, "Data Factory"),
    "Microsoft.Logic/workflows": (_WORK, "Logic App"),
    "Microsoft.StreamAnalytics/streamingjobs": (_WORK, "Stream Analytics"),
    "Microsoft.Storage/storageAccounts": (_DATA, "Storage"),
    "Microsoft.Sql/servers/databases": (_DATA, "SQL database"),
    "Microsoft.EventHub/namespaces": (_DATA, "Event Hubs"),
    "Microsoft.CognitiveServices/accounts": (_DATA, "AI services"),
    "Microsoft.KeyVault/vaults": (_KEEP, "Key vault"),
    "Microsoft.ContainerRegistry/registries": (_KEEP, "Container registry"),
    "Microsoft.OperationalInsights/workspaces": (_WATCH, "Log Analytics"),
    "Microsoft.Insights/components": (_WATCH, "Application Insights"),
}
_PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"


@dataclass(frozen=True)
class _Box:
    """One resource. `kind`: how it is drawn: open, closed, central or plain."""

    label: str
    name: str
    kind: str
    protected: bool = False
    differs: bool = False


@dataclass
class _Canvas:
    """Elements and how far down they reach."""

    elements: list[str] = field(default_factory=list)
    y: float = _MARGIN

    def text(self, x: float, y: float, text: str, kind: str, anchor: str = "start") -> None:
        self.elements.append(f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>')

    def box(self, x: float, box: _Box) -> None:
        style = f"box {box.kind}{' differs' if box.differs else ''}"
        self.elements.append(
            f'<g><title>{escape(box.name)}</title><rect x="{x:g}" y="{self.y:g}" width="{_BOX_WIDTH}" '
            f'height="{_BOX_HEIGHT}" rx="7" class={quoteattr(style)}/>'
        )
        self.text(x + 10, self.y + 18, box.label, "label")
        self.text(x + 10, self.y + 35, _shortened(box.name), "name")
        if box.protected:
            self.lock(x + _BOX_WIDTH - 20, self.y + 8)
        self.elements.append("</g>")

    def lock(self, x: float, y: float) -> None:
        """A small padlock: Pulumi refuses to delete or replace this."""
        self.elements.append(
            f'<g class="lock"><title>protected from deletion and replacement</title>'
            f'<path d="M{x + 2:g} {y + 5:g} v-2 a3 3 0 0 1 6 0 v2" fill="none"/>'
            f'<rect x="{x:g}" y="{y + 5:g}" width="10" height="7" rx="1.5"/></g>'
        )

    def rows(self, title: str, boxes: list[_Box]) -> None:
        """A titled row of boxes, two beside each other."""
        self.text(_MARGIN + 12, self.y + 10, title, "row")
        self.y += 18
        for index in range(0, len(boxes), 2):
            for column, box in enumerate(boxes[index : index + 2]):
                self.box(_MARGIN + 10 + column * (_BOX_WIDTH + _GAP - 2), box)
            self.y += _BOX_HEIGHT + 8
        self.y += 4

    def arrow(self, label: str, kind: str) -> None:
        """Downwards in the middle, with what it stands for beside it."""
        x = _MARGIN + 26
        self.elements.append(f'<path d="M{x} {self.y:g} v20 m-5 -6 l5 6 l5 -6" class="arrow {kind}"/>')
        self.text(x + 14, self.y + 14, label, f"way {kind}")
        self.y += 28

    def frame(self, top: float, kind: str) -> None:
        self.elements.insert(
            0,
            f'<rect x="{_MARGIN}" y="{top:g}" width="{_WIDTH - 2 * _MARGIN}" height="{self.y - top:g}" rx="10" '
            f'class="frame {kind}"/>',
        )


def svg(plan: Plan, differing: Iterable[str] = ()) -> str:
    """The picture. `differing`: names of resources that are not the same in another environment; they are marked."""
    canvas, marked = _Canvas(), set(differing)
    _outside(canvas, plan)
    way, kind = _way_in(plan)
    canvas.arrow(way, kind)
    top = canvas.y
    canvas.y += 20
    canvas.text(_MARGIN + 12, canvas.y, plan.request.names(plan.environment).resource_group, "group")
    canvas.y += 14
    rows = _rows(plan, marked)
    canvas.rows(_WORK, rows.pop(_WORK, []))
    canvas.arrow(*_way_of_jobs(plan))
    for title, boxes in rows.items():
        canvas.rows(title, boxes)
    canvas.y += 2
    canvas.frame(top, "inside")
    height = canvas.y + _MARGIN
    title = f"{plan.request.product}, {plan.environment}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label={quoteattr(title)} '
        f'xmlns="http://www.w3.org/2000/svg" class="diagram">{"".join(canvas.elements)}</svg>'
    )


def _outside(canvas: _Canvas, plan: Plan) -> None:
    """Who comes from outside."""
    who = [_Box("CI", plan.request.ci.repository or plan.request.ci.provider, "plain")]
    if any(grant.principal == "data_scientists" for grant in plan.grants):
        who.append(_Box("Data scientists", plan.request.groups.data_scientists, "plain"))
    elif plan.request.environments[plan.environment].access_exceptions:
        purposes = ", ".join(dict.fromkeys(plan.request.environments[plan.environment].purposes))
        who.append(_Box("People, by exception", purposes, "plain"))
    else:
        who.append(_Box("People", "no person has a role", "nobody"))
    canvas.rows("Outside", who)


def _way_in(plan: Plan) -> tuple[str, str]:
    if not plan.network.private:
        return "over the internet, with an Entra identity", "open"
    endpoints = [one for one in plan.resources if one.arm_type == _PRIVATE_ENDPOINT]
    if not endpoints:
        return "no way in yet: no subnet for private endpoints", "missing"
    subnet = plan.request.environments[plan.environment].subnets.endpoints.rsplit("/", 1)[-1]
    return f"{len(endpoints)} private endpoints in {subnet}", "closed"


def _way_of_jobs(plan: Plan) -> tuple[str, str]:
    if plan.network.managed_network:
        return "jobs: managed network, approved private endpoints only", "closed"
    if plan.network.own_network:
        return "jobs: your own subnet and the private endpoints", "closed"
    return "jobs: over the internet, with the cluster's identity", "open"


def _rows(plan: Plan, differing: set[str]) -> dict[str, list[_Box]]:
    """The boxes of each row; rows in the order in which they are drawn."""
    rows: dict[str, list[_Box]] = {title: [] for title in (_WORK, _DATA, _KEEP, _WATCH)}
    # A database has no door of its own: what is closed or open is its server.
    servers = {f"{one.arm_type}/databases": one for one in plan.resources if one.arm_type == "Microsoft.Sql/servers"}
    for resource in plan.resources:
        if resource.arm_type in _BOXES:
            row, label = _BOXES[resource.arm_type]
            rows[row].append(
                _Box(
                    _label(resource, label),
                    resource.azure_name,
                    _openness(servers.get(resource.arm_type, resource)),
                    resource.protect,
                    resource.name in differing,
                )
            )
    for row, box in _central(plan):
        rows[row].append(box)
    return {title: boxes for title, boxes in rows.items() if boxes}


def _label(resource: PlannedResource, label: str) -> str:
    properties = resource.body.get("properties", {})
    if resource.arm_type == "Microsoft.Storage/storageAccounts":
        return "Lake" if properties.get("isHnsEnabled") else "Workspace storage"
    if resource.arm_type == f"{_ML}/workspaces/computes":
        scale = properties.get("properties", {}).get("scaleSettings")
        if scale:
            return f"Cluster, 0 to {scale['maxNodeCount']} nodes"
        return "Compute instance" if properties.get("computeType") == "ComputeInstance" else "Kubernetes, attached"
    return label


def _openness(resource: PlannedResource) -> str:
    properties: Mapping[str, object] = resource.body.get("properties", {})
    access = properties.get("publicNetworkAccess")
    return {"Enabled": "open", "Disabled": "closed"}.get(str(access), "plain")


def _central(plan: Plan) -> Iterator[tuple[str, _Box]]:
    central = plan.request.environments[plan.environment].central
    for row, label, arm_id in (
        (_DATA, "Lake (central)", central.lake.account),
        (_KEEP, "Registry (central)", central.container_registry),
        (_KEEP, "ML registry (central)", central.ml_registry),
        (_WATCH, "Log Analytics (central)", central.log_analytics),
    ):
        if arm_id:
            yield row, _Box(label, arm_id.rsplit("/", 1)[-1], "central")


def _shortened(name: str) -> str:
    if len(name) <= _NAME_LENGTH:
        return name
    half = (_NAME_LENGTH - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
