"""Compute of Azure ML: no logins past Entra, nothing runs without work, machines of persons only where persons are."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.bounds import Bounds
from amlplatform.policies.checks import absent, between, constant, each, equals, given, where
from amlplatform.policies.rule import (
    EVERYWHERE,
    NOT_IN_DEV,
    PROD,
    Context,
    Resource,
    ResourceCheck,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.values import ABSENT, at, entries, is_known, seconds, shown

_TYPE = "properties.computeType"
_ATTACHED_WITHOUT_SECRET = ("AmlCompute", "ComputeInstance", "Kubernetes", "SynapseSpark")
_SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "azureml")


def _idle(path: str, most: str) -> ResourceCheck:
    def check(resource: Resource, context: Context) -> Iterator[str]:
        value, limit = at(resource.body, path), getattr(context.bounds, most)
        length = seconds(value)
        if value != UNKNOWN and (length is None or not 0 < length <= limit):
            yield f"{path} is {shown(value)}, must be an ISO 8601 duration of at most {limit} s"

    return check


def _cluster_nodes(bounds: Bounds) -> int:
    return bounds.cluster_nodes


def _instances(resource: Resource, context: Context) -> Iterator[str]:
    if not context.bounds.people and at(resource.body, _TYPE) == "ComputeInstance":
        yield "a compute instance is a machine for a person"


def _own_identity(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    taken = {
        identity.lower()
        for workspace in stack.of(arm.ML_WORKSPACE)
        for identity, _ in entries(workspace.body, "identity.userAssignedIdentities")
    }
    for cluster in stack.of(arm.COMPUTE):
        if at(cluster.body, _TYPE) != "AmlCompute":
            continue
        identities = at(cluster.body, "identity.userAssignedIdentities")
        if at(cluster.body, "identity.type") != "UserAssigned" or identities in (ABSENT, {}):
            yield cluster, "has no user-assigned identity: jobs would run without one or with a node's own"
        for identity, _ in entries(cluster.body, "identity.userAssignedIdentities"):
            if identity != UNKNOWN and identity.lower() in taken:
                yield cluster, "has the workspace's identity: each job could do what the workspace may"


def _namespace(resource: Resource, _context: Context) -> Iterator[str]:
    value = at(resource.body, "properties.properties.namespace")
    if value is ABSENT or value in _SYSTEM_NAMESPACES:
        yield f"properties.properties.namespace is {shown(value)}, must be one of the project's own"


def _setup_scripts(resource: Resource, _context: Context) -> Iterator[str]:
    value = at(resource.body, "properties.properties.setupScripts")
    if is_known(value):
        yield "properties.properties.setupScripts is set: code that nobody reviewed would run as administrator"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="compute-no-local-login",
        protects="Nobody signs in to a node with a password or key past Entra",
        remedy="set disableLocalAuth to true and leave userAccountCredentials out",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_142",
            "PSRule AZR-000404",
            "azure-policy e96a9a5f",
            "azure-policy a6f9a2d0",
        ),
        types=(arm.COMPUTE,),
        check=each(equals("properties.disableLocalAuth", True), absent("properties.properties.userAccountCredentials")),
    ),
    ResourceRule(
        name="compute-no-ssh",
        protects="Nodes do not listen for SSH",
        remedy="set remoteLoginPortPublicAccess, or sshPublicAccess of an instance, to Disabled",
        severity=EVERYWHERE,
        sources=("DMZ Deny-MachineLearningCompute-RemoteLoginPortPublicAccess",),
        types=(arm.COMPUTE,),
        check=each(
            where(_TYPE, "AmlCompute", then=equals("properties.properties.remoteLoginPortPublicAccess", "Disabled")),
            where(
                _TYPE,
                "ComputeInstance",
                then=each(
                    equals("properties.properties.sshSettings.sshPublicAccess", "Disabled"),
                    absent("properties.properties.sshSettings.adminPublicKey"),
                ),
            ),
        ),
    ),
    ResourceRule(
        name="cluster-scales-to-zero",
        protects="Without work there are no nodes and no cost; one job does not take the whole quota",
        remedy="set minNodeCount to 0 and a short idle time",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_150",
            "DMZ Deny-MachineLearningCompute-Cluster-Scale",
        ),
        types=(arm.COMPUTE,),
        check=where(
            _TYPE,
            "AmlCompute",
            then=each(
                between("properties.properties.scaleSettings.minNodeCount", constant(0), constant(0)),
                between("properties.properties.scaleSettings.maxNodeCount", constant(1), _cluster_nodes),
                _idle("properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown", "cluster_idle"),
            ),
        ),
    ),
    StackRule(
        name="cluster-has-its-own-identity",
        protects="Jobs have the rights of jobs, not those of the workspace",
        remedy="give the cluster a user-assigned identity of its own",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.COMPUTE,),
        check=_own_identity,
    ),
    ResourceRule(
        name="cluster-dedicated-in-prod",
        protects="Azure does not take nodes away from a prod job",
        remedy="set vmPriority to Dedicated",
        severity=PROD,
        sources=("own",),
        types=(arm.COMPUTE,),
        check=where(_TYPE, "AmlCompute", then=equals("properties.properties.vmPriority", "Dedicated")),
    ),
    ResourceRule(
        name="cluster-priority-and-system-said",
        protects="What a node is does not depend on defaults of the SDK, which change",
        remedy="set vmPriority and osType",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.COMPUTE,),
        check=where(
            _TYPE,
            "AmlCompute",
            then=each(
                equals("properties.properties.vmPriority", "Dedicated", "LowPriority"),
                equals("properties.properties.osType", "Linux"),
            ),
        ),
    ),
    ResourceRule(
        name="no-compute-instance-without-people",
        protects="No machine for a person where no person has access",
        remedy="ask for compute instances in dev only",
        severity=NOT_IN_DEV,
        sources=("CAF data-science-best-practices",),
        types=(arm.COMPUTE,),
        check=_instances,
    ),
    ResourceRule(
        name="compute-instance-personal",
        protects="One person, known by object id, opens the machine; nobody else, and no identity of Azure on it",
        remedy="set the authorization type personal with assignedUser, sharing Personal, and no setup scripts",
        severity=EVERYWHERE,
        sources=(
            "DMZ Append-MachineLearningComputeInstance-SetupScriptsCreationScript",
            "AML how-to-identity-based-service-authentication",
        ),
        types=(arm.COMPUTE,),
        check=where(
            _TYPE,
            "ComputeInstance",
            then=each(
                equals("properties.properties.applicationSharingPolicy", "Personal"),
                equals("properties.properties.computeInstanceAuthorizationType", "personal"),
                given("properties.properties.personalComputeInstanceSettings.assignedUser.objectId"),
                equals("properties.properties.enableSSO", True),
                absent("identity.userAssignedIdentities"),
                _setup_scripts,
            ),
        ),
    ),
    ResourceRule(
        name="compute-instance-stops",
        protects="A machine that nobody uses costs nothing",
        remedy="set idleTimeBeforeShutdown, for example PT30M",
        severity=EVERYWHERE,
        sources=(
            "PSRule AZR-000403",
            "azure-policy 679ddf89",
        ),
        types=(arm.COMPUTE,),
        check=where(
            _TYPE, "ComputeInstance", then=_idle("properties.properties.idleTimeBeforeShutdown", "instance_idle")
        ),
    ),
    ResourceRule(
        name="attached-compute-needs-no-secret",
        protects="No token or key of another system lies in the workspace: Databricks, HDInsight and machines by SSH "
        "would need one; the legacy type AKS is not supported by version 2 of the API",
        remedy="attach Kubernetes or Synapse Spark, and start jobs elsewhere through their own API with an identity",
        severity=EVERYWHERE,
        sources=(
            "DMZ Deny-MachineLearningAks",
            "AML how-to-attach-kubernetes-anywhere",
        ),
        types=(arm.COMPUTE,),
        check=equals(_TYPE, *_ATTACHED_WITHOUT_SECRET),
    ),
    ResourceRule(
        name="kubernetes-compute-isolated",
        protects="A project has a namespace of its own in the cluster",
        remedy="set properties.namespace to the project's",
        severity=EVERYWHERE,
        sources=("AML how-to-attach-kubernetes-to-workspace",),
        types=(arm.COMPUTE,),
        check=where(
            _TYPE,
            "Kubernetes",
            then=each(_namespace, equals("identity.type", "UserAssigned", "SystemAssigned")),
        ),
    ),
)
