"""Data of the laptop: where inputs come from and outputs go.

resolver     what a person wrote -> a file or folder of this machine
assets       data assets                      datastores   data stores, and what may be written to
downloads    files at https addresses         blobfolders  folders of public blob containers
uploads      copies of what is registered     joboutputs   what a job wrote
progress     a bar on the terminal
"""

from __future__ import annotations

from amlops.local.data.assets import LocalDataAssets
from amlops.local.data.datastores import Datastore, Datastores
from amlops.local.data.resolver import LocalData

__all__ = ["Datastore", "Datastores", "LocalData", "LocalDataAssets"]
