"""The file that asks for a bootstrap stack: `bootstrap/<environment>.yaml` of a live project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from amlplatform import rules
from amlplatform.names import Names
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.request import Request, RequestError, load_request
from amlplatform.request.fields import CostCentre, NameSuffix, Part, RegionName, Version, rule
from amlplatform.request.load import read_model
from amlplatform.request.model import Ci, Owner, ServiceConnection

FOLDER = "bootstrap"
"""Where the files lie in a live project."""


class Product(Part):
    """A product whose environment is made in this subscription. With Azure DevOps, its two service connections."""

    product: Annotated[
        str,
        rule(rules.check_product),
        Field(description="The product; its request lies in requests/", examples=["digit-scoring"]),
    ]
    infra: ServiceConnection = ServiceConnection()
    plan: ServiceConnection = ServiceConnection()


class Bootstrap(Part):
    """One subscription: which environments live in it, and whose CI brings them up."""

    version: Version
    kind: Annotated[Literal["bootstrap"], Field(description="What this file asks for", examples=["bootstrap"])]
    environment: Annotated[
        str,
        rule(rules.check_choice, choices=tuple(ENVIRONMENT_PROFILES)),
        Field(description="The environments that live in this subscription", examples=["dev"]),
    ]
    name_suffix: Annotated[
        NameSuffix,
        Field(
            description="Makes names unique in the whole of Azure; never changed",
            examples=["p7q2x"],
        ),
    ]
    owner: Owner
    cost_centre: CostCentre
    region: RegionName
    ci: Annotated[Ci, Field(description="The CI system and repository of the live project, not of a product")]
    runner_ip_ranges: Annotated[
        list[Annotated[str, rule(rules.check_ip_range)]],
        Field(
            default_factory=list,
            description="Addresses of those who run Pulumi; empty: state and key are reached from everywhere, after "
            "sign-in",
            examples=[["198.51.100.0/24"]],
        ),
    ]
    products: Annotated[list[Product], Field(default_factory=list, description="The products in this subscription")]

    @property
    def names(self) -> Names:
        return Names("platform", self.environment, self.name_suffix)

    @property
    def stack(self) -> str:
        return f"bootstrap-{self.environment}"

    def covers(self, product: str, environment: str) -> bool:
        """Whether this stack makes the product's resource group and identities."""
        return environment == self.environment and any(entry.product == product for entry in self.products)


def load_bootstrap(path: Path) -> Bootstrap:
    """Read and check a file. Raises RequestError with every fault, each in one line."""
    return read_model(path, Bootstrap)


def requests_of(bootstrap: Bootstrap, root: Path) -> dict[str, Request]:
    """The onboarded requests of its products, by product.

    Raises RequestError with a line for each that does not fit.
    """
    found: dict[str, Request] = {}
    faults: list[str] = []
    for index, entry in enumerate(bootstrap.products):
        field = f"products.{index}.product"
        try:
            request = load_request(root / "requests" / f"{entry.product}.yaml")
        except RequestError as error:
            faults += [f"{field}: {entry.product!r}: {fault}" for fault in error.faults]
            continue
        if bootstrap.environment not in request.environments:
            faults.append(
                f"{field}: {entry.product!r} has no environment {bootstrap.environment!r}; take the entry out"
            )
        found[entry.product] = request
    if faults:
        raise RequestError(faults)
    return found


def is_bootstrapped(root: Path, product: str, environment: str) -> bool:
    """Whether a bootstrap file of the live project `root` makes the resource group of this product's environment.

    Raises RequestError when such a file cannot be read.
    """
    path = root / FOLDER / f"{environment}.yaml"
    return path.is_file() and load_bootstrap(path).covers(product, environment)
