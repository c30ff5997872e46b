"""What things are called. Standard library only: the template's hooks import this module before anything is installed.

Every name in Azure is derived here from three values: the product, the environment and the name suffix. Names that must
be unique in the whole of Azure (storage accounts, key vault, container registry) or in a region (endpoints, compute
instances) carry the suffix; the others are unique within their resource group or subscription without it.

Sources of the rules: "Naming rules and restrictions for Azure resources" (learn.microsoft.com) and the patterns in
Microsoft's resource types (see armtypes/), of which the narrower one counts.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from amlplatform import rules

_SUFFIX_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_SUFFIX_LENGTH = 5
# Characters of the product that fit beside prefix, environment (4 at most) and suffix in the 24 that Azure allows.
_ACCOUNT_PRODUCT_LENGTH = 13
_VAULT_PRODUCT_LENGTH = 10

CPU_CLUSTER = "cpu-cluster"
GPU_CLUSTER = "gpu-cluster"
KUBERNETES_COMPUTE = "kubernetes"
DIAGNOSTIC_SETTING = "to-log-analytics"
"""Every diagnostic setting: the name has to be unique on its resource only."""
LOCK = "holds-data"
"""Every lock, for the same reason."""
# Azure allows 64 characters.
_SHORT_SUB_RESOURCES = {"databricks_ui_api": "ui", "browser_authentication": "sign-in"}


@dataclass(frozen=True)
class NameRule:
    """What Azure accepts as the name of one kind of resource."""

    low: int
    high: int
    pattern: str
    words: str


NAME_RULES: dict[str, NameRule] = {
    "resource_group": NameRule(1, 90, r"[A-Za-z0-9._()-]*[A-Za-z0-9_()-]", "letters, digits and . _ ( ) -"),
    "workspace": NameRule(3, 33, r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, _ and -"),
    "storage_account": NameRule(3, 24, r"[a-z0-9]*", "lower-case letters and digits"),
    "key_vault": NameRule(3, 24, r"[A-Za-z](-?[A-Za-z0-9])*", "letters, digits and single hyphens"),
    "container_registry": NameRule(5, 50, r"[A-Za-z0-9]*", "letters and digits"),
    "log_analytics": NameRule(4, 63, r"[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]", "letters, digits and -"),
    "application_insights": NameRule(1, 260, r"[A-Za-z0-9._()-]*[A-Za-z0-9_()-]", "letters, digits and . _ ( ) -"),
    "identity": NameRule(3, 128, r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, _ and -"),
    "budget": NameRule(1, 63, r"[A-Za-z0-9_-]*", "letters, digits, _ and -"),
    "compute": NameRule(
        3, 24, r"[A-Za-z](?![A-Za-z0-9-]*-\d+$)[A-Za-z0-9-]*", "letters, digits and -, not ending in -number"
    ),
    "action_group": NameRule(1, 260, r"[A-Za-z0-9_()-]*", "letters, digits and _ ( ) -"),
    "kubernetes": NameRule(1, 63, r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", "letters, digits, _ and -"),
    "data_collection_rule": NameRule(3, 64, r"[A-Za-z0-9][A-Za-z0-9-]*", "letters, digits and -"),
    "kubernetes_namespace": NameRule(1, 63, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and -"),
    "databricks": NameRule(3, 64, r"[A-Za-z0-9_-]*", "letters, digits, _ and -"),
    "synapse": NameRule(1, 45, r"[a-z0-9]*", "lower-case letters and digits"),
    "data_factory": NameRule(3, 63, r"[A-Za-z0-9](-?[A-Za-z0-9])*", "letters, digits and single hyphens"),
    "ai_services": NameRule(2, 64, r"[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]", "letters, digits and -"),
    "event_hubs": NameRule(8, 50, r"[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]", "letters, digits and -"),
    "stream_analytics": NameRule(3, 63, r"[A-Za-z0-9_-]*", "letters, digits, _ and -"),
    "sql_server": NameRule(1, 63, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and -"),
    "sql_database": NameRule(1, 128, r"[A-Za-z0-9_-]*", "letters, digits, _ and -"),
    "logic_app": NameRule(1, 43, r"[A-Za-z0-9._()-]*", "letters, digits and . _ ( ) -"),
    "endpoint": NameRule(3, 32, r"[a-z](-?[a-z0-9])*", "lower-case letters, digits and single hyphens"),
}


def slug(text: str) -> str:
    """Turn what a person wrote ("Digit scoring") into the form of a product's name ("digit-scoring").

    Accents are dropped, everything but letters and digits becomes one hyphen. The result may still break the rules of a
    product's name (too short, a digit first): `rules.check_product` says so.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def name_suffix(product: str, owner_email: str) -> str:
    """Five characters [a-z0-9] from the product and its owner.

    Used once, when the request is written: the request keeps the result, so that names stay when the owner changes.
    """
    number = int.from_bytes(hashlib.sha256(f"{product}\n{owner_email.lower()}".encode()).digest(), "big")
    characters: list[str] = []
    for _ in range(_SUFFIX_LENGTH):
        number, index = divmod(number, len(_SUFFIX_ALPHABET))
        characters.append(_SUFFIX_ALPHABET[index])
    return "".join(characters)


@dataclass(frozen=True)
class Names:
    """The names of one environment of one product."""

    product: str
    environment: str
    name_suffix: str

    @property
    def _base(self) -> str:
        return f"{self.product}-{self.environment}"

    def _account(self, prefix: str, product_length: int | None = _ACCOUNT_PRODUCT_LENGTH) -> str:
        compact = self.product.replace("-", "")[:product_length]
        return f"{prefix}{compact}{self.environment}{self.name_suffix}"

    @property
    def stack(self) -> str:
        return self._base

    @property
    def resource_group(self) -> str:
        return f"rg-{self._base}"

    @property
    def workspace(self) -> str:
        return f"mlw-{self._base}"

    @property
    def storage_account(self) -> str:
        return self._account("st")

    @property
    def lake_account(self) -> str:
        return self._account("dl")

    @property
    def key_vault(self) -> str:
        compact = self.product.replace("-", "")[:_VAULT_PRODUCT_LENGTH]
        return f"kv-{compact}-{self.environment}-{self.name_suffix}"

    @property
    def container_registry(self) -> str:
        return self._account("cr", product_length=None)

    @property
    def log_analytics(self) -> str:
        return f"log-{self._base}"

    @property
    def application_insights(self) -> str:
        return f"appi-{self._base}"

    @property
    def workspace_identity(self) -> str:
        return f"id-{self._base}-workspace"

    @property
    def cluster_identity(self) -> str:
        return f"id-{self._base}-cluster"

    @property
    def endpoint_identity(self) -> str:
        return f"id-{self._base}-endpoint"

    @property
    def deploy_identity(self) -> str:
        return f"id-{self._base}-deploy"

    @property
    def budget(self) -> str:
        return f"budget-{self._base}"

    @property
    def ml_registry(self) -> str:
        return f"mlr-{self.product}-{self.name_suffix}"

    @property
    def action_group(self) -> str:
        return f"ag-{self._base}"

    @property
    def action_group_short(self) -> str:
        """How mails of alerts name their sender; Azure allows 12 characters."""
        room = 12 - len(self.environment) - 1
        return f"{self.product.replace('-', '')[:room]}-{self.environment}"

    def private_endpoint(self, part: str, sub_resource: str) -> str:
        """The private endpoint of one sub-resource of a part, for example "storage" and "blob"."""
        return f"pe-{self._base}-{part}-{_SHORT_SUB_RESOURCES.get(sub_resource, sub_resource.lower())}"

    def alert(self, rule: str) -> str:
        """The alert rule of this key, for example "failed-jobs"."""
        return f"alert-{self._base}-{rule}"

    @property
    def kubernetes(self) -> str:
        return f"aks-{self._base}"

    @property
    def kubernetes_nodes(self) -> str:
        """The resource group that Azure keeps the cluster's machines in."""
        return f"rg-{self._base}-aks-nodes"

    @property
    def kubernetes_identity(self) -> str:
        return f"id-{self._base}-aks"

    @property
    def kubernetes_nodes_identity(self) -> str:
        return f"id-{self._base}-aks-nodes"

    @property
    def kubernetes_logs(self) -> str:
        """The rule that says which logs of pods are kept."""
        return f"dcr-{self._base}-aks"

    @property
    def kubernetes_namespace(self) -> str:
        """The product's namespace in the cluster: a cluster may one day serve several."""
        return self.product

    @property
    def databricks(self) -> str:
        return f"dbw-{self._base}"

    @property
    def databricks_connector(self) -> str:
        return f"dbac-{self._base}"

    @property
    def databricks_identity(self) -> str:
        return f"id-{self._base}-databricks"

    @property
    def databricks_managed(self) -> str:
        """The resource group that Azure keeps the Databricks workspace's own resources in."""
        return f"rg-{self._base}-databricks"

    @property
    def synapse(self) -> str:
        return self._account("syn", product_length=None)

    @property
    def synapse_managed(self) -> str:
        """The resource group that Azure keeps the Synapse workspace's own resources in."""
        return f"rg-{self._base}-synapse"

    @property
    def data_factory(self) -> str:
        return f"adf-{self._base}-{self.name_suffix}"

    @property
    def ai_services(self) -> str:
        return f"ais-{self._base}-{self.name_suffix}"

    @property
    def event_hubs(self) -> str:
        return f"evhns-{self._base}-{self.name_suffix}"

    @property
    def stream_analytics(self) -> str:
        return f"asa-{self._base}"

    @property
    def sql_server(self) -> str:
        return f"sql-{self._base}-{self.name_suffix}"

    @property
    def sql_database(self) -> str:
        return f"sqldb-{self.product}"

    @property
    def sql_identity(self) -> str:
        return f"id-{self._base}-sql"

    @property
    def logic_app(self) -> str:
        return f"logic-{self._base}"

    def compute_instance(self, object_id: str) -> str:
        """The compute instance of one person: unique in the region, never ending in "-number" (Azure refuses it)."""
        return f"ci-{self.name_suffix}-{self.environment}-u{object_id[:8].lower()}"

    def endpoint(self, logical: str) -> str:
        """The name in Azure of an endpoint that the project's files call `logical`: unique in the region.

        Raises ValueError with one line when the result breaks Azure's rules.
        """
        name = f"{logical}-{self.environment}-{self.name_suffix}"
        message = _name_fault("endpoint", "endpoint", name)
        if message:
            room = NAME_RULES["endpoint"].high - len(name) + len(logical)
            raise ValueError(
                f"{message}; give the endpoint a name of at most {room} characters, for example 'image-scoring'"
            )
        return name

    def all(self, options: Iterable[str] = ()) -> dict[str, str]:
        """Every fixed name, by what it names, in the order in which people read them; also those of these options."""
        kinds = [*_RULE_OF_NAME, *(kind for option in options for kind in _RULE_OF_OPTION_NAME.get(option, {}))]
        return {kind: getattr(self, kind) for kind in kinds}

    def faults(self) -> list[str]:
        """One line for each derived name that Azure would refuse, with all options."""
        names = self.all(_RULE_OF_OPTION_NAME)
        found = [_name_fault(kind, _rule_name(kind), name) for kind, name in names.items()]
        return [message for message in found if message]


_RULE_OF_NAME: dict[str, str] = {
    "resource_group": "resource_group",
    "workspace": "workspace",
    "storage_account": "storage_account",
    "lake_account": "storage_account",
    "key_vault": "key_vault",
    "container_registry": "container_registry",
    "log_analytics": "log_analytics",
    "application_insights": "application_insights",
    "workspace_identity": "identity",
    "cluster_identity": "identity",
    "endpoint_identity": "identity",
    "deploy_identity": "identity",
    "budget": "budget",
    "action_group": "action_group",
}
_RULE_OF_OPTION_NAME: dict[str, dict[str, str]] = {
    "kubernetes": {
        "kubernetes": "kubernetes",
        "kubernetes_nodes": "resource_group",
        "kubernetes_identity": "identity",
        "kubernetes_nodes_identity": "identity",
        "kubernetes_logs": "data_collection_rule",
        "kubernetes_namespace": "kubernetes_namespace",
    },
    "databricks": {
        "databricks": "databricks",
        "databricks_managed": "resource_group",
        "databricks_connector": "databricks",
        "databricks_identity": "identity",
    },
    "synapse": {"synapse": "synapse", "synapse_managed": "resource_group"},
    "data_factory": {"data_factory": "data_factory"},
    "ai_services": {"ai_services": "ai_services"},
    "streaming": {"event_hubs": "event_hubs", "stream_analytics": "stream_analytics"},
    "sql": {"sql_server": "sql_server", "sql_database": "sql_database", "sql_identity": "identity"},
    "scheduled_start": {"logic_app": "logic_app"},
}
"""By option of the request: the names that it brings."""


def _rule_name(kind: str) -> str:
    for table in (_RULE_OF_NAME, *_RULE_OF_OPTION_NAME.values()):
        if kind in table:
            return table[kind]
    raise KeyError(kind)


def rule_of(kind: str) -> NameRule:
    """The rule for a name of `Names.all`, for example "lake_account". Raises KeyError for any other."""
    return NAME_RULES[_rule_name(kind)]


def _name_fault(label: str, kind: str, name: str) -> str | None:
    rule = NAME_RULES[kind]
    if not rule.low <= len(name) <= rule.high:
        return f"{label}: {name!r} has {len(name)} characters, Azure allows {rule.low} to {rule.high}"
    if not re.fullmatch(rule.pattern, name):
        return f"{label}: {name!r} may only have {rule.words}"
    return None


def faults(product: str, environments: Iterable[str], suffix: str = "00000") -> list[str]:
    """One line for each fault of the product's name and of every name derived from it, for all environments.

    Before a suffix is known, any suffix gives the same answer: only its length and alphabet count.
    """
    first = rules.check_product(product)
    if first:
        return [first]
    found: list[str] = []
    for environment in environments:
        message = rules.check_environment(environment)
        found += [message] if message else Names(product, environment, suffix).faults()
    return found


_ROLE_ASSIGNMENTS = uuid.uuid5(uuid.NAMESPACE_URL, "amlplatform:role-assignment")


def role_assignment(scope: str, principal_id: str, role_id: str) -> str:
    """The name (a GUID) of a role assignment: the same for the same three values, whatever casing Azure answers with.

    The principal's id is part of it because an identity that was made anew under its old name is another principal:
    Azure refuses to give an existing assignment to it (RoleAssignmentUpdateNotPermitted).
    """
    return str(uuid.uuid5(_ROLE_ASSIGNMENTS, "|".join((scope, principal_id, role_id)).lower()))


def role_definition(title: str) -> str:
    """The name (a GUID) of a custom role, from its title, which is unique in a tenant."""
    return str(uuid.uuid5(_ROLE_ASSIGNMENTS, f"role definition|{title}"))
