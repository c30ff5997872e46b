"""amlops: runs, checks, deploys and promotes an Azure ML project, on the laptop or in Azure, with the nouns and verbs
of `az ml`.

from amlops.workspace import connect
models = connect().models.list()
"""

from __future__ import annotations

__version__ = "0.1.0"
