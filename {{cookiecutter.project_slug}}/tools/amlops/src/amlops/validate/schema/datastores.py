"""Data stores.

Keys: azure-ai-ml 1.35.2 (AzureBlobSchema, AzureFileSchema, AzureDataLakeGen1Schema, AzureDataLakeGen2Schema,
OneLakeSchema). Which of them a store needs depends on its type.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from amlops.datastores import TYPES
from amlops.validate.schema.fields import AssetName, Shape, Tags, Text, broken, one_of

_NEEDED = {
    "azure_blob": ("account_name", "container_name"),
    "azure_file": ("account_name", "file_share_name"),
    "azure_data_lake_gen2": ("account_name", "filesystem"),
    "azure_data_lake_gen1": ("store_name",),
    "one_lake": ("one_lake_workspace_name", "artifact"),
}


class DatastoreShape(Shape):
    """A data store in a file of its own."""

    schema_address: Text = Field("", alias="$schema")
    name: AssetName
    type: Annotated[str, one_of(*TYPES)]
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    account_name: Text = ""
    container_name: Text = ""
    file_share_name: Text = ""
    filesystem: Text = ""
    store_name: Text = ""
    one_lake_workspace_name: Text = ""
    artifact: dict[str, Any] = Field(default_factory=dict)
    endpoint: Text = ""
    protocol: Text = ""
    credentials: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> DatastoreShape:
        for key in _NEEDED.get(self.type, ()):
            if not getattr(self, key):
                raise broken("missing-key", f"{key}: is missing", f"a data store of type {self.type} needs it")
        return self
