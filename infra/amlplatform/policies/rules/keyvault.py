"""Key vaults: roles instead of access policies, nothing lost for good before its retention ends."""

from __future__ import annotations

from amlplatform.policies import arm
from amlplatform.policies.checks import absent, between, each, equals
from amlplatform.policies.rule import DURABLE, EVERYWHERE, ResourceRule, Rule

RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="vault-roles-only",
        protects="Who may read secrets stands among the roles, where it is reviewed, and not in a list of the vault",
        remedy="set enableRbacAuthorization to true and leave accessPolicies out",
        severity=EVERYWHERE,
        sources=(
            "PSRule Azure.KeyVault.RBAC",
            "Key Vault access-control-default",
        ),
        types=(arm.VAULT,),
        check=each(equals("properties.enableRbacAuthorization", True), absent("properties.accessPolicies")),
    ),
    ResourceRule(
        name="vault-soft-delete",
        protects="Deleted secrets, and a deleted vault, come back",
        remedy="turn soft delete on for the days that the environment asks for",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_42",
            "CKV_AZURE_111",
            "PSRule Azure.KeyVault.SoftDelete",
        ),
        types=(arm.VAULT,),
        check=each(
            equals("properties.enableSoftDelete", True),
            between("properties.softDeleteRetentionInDays", lambda bounds: bounds.vault_retention, lambda _bounds: 90),
        ),
    ),
    ResourceRule(
        name="vault-purge-protection",
        protects="Nobody, not even an owner, destroys the secrets of prod for good",
        remedy="set enablePurgeProtection to true",
        severity=DURABLE,
        sources=(
            "CKV_AZURE_110",
            "PSRule Azure.KeyVault.PurgeProtect",
        ),
        types=(arm.VAULT,),
        check=equals("properties.enablePurgeProtection", True),
    ),
    ResourceRule(
        name="vault-hands-out-nothing",
        protects="Virtual machines, templates and disk encryption do not take secrets past the roles",
        remedy="set the three enabledFor properties to false",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.VAULT,),
        check=each(
            *(
                equals(f"properties.enabledFor{what}", False)
                for what in ("Deployment", "DiskEncryption", "TemplateDeployment")
            )
        ),
    ),
)
