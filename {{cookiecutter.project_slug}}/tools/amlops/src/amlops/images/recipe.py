"""What an image is built from: the environment of a deployment file, its base image and conda file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from amlops import yamlfile
from amlops.yamlfile import YamlFile

# The folder is where Azure ML puts the conda environments that it builds itself; the variables are those that its own
# images set.
DOCKERFILE = """\
ARG BASE
FROM ${BASE}
COPY environment.yml /tmp/environment.yml
RUN conda env create --prefix /azureml-envs/project --file /tmp/environment.yml && conda clean --all --yes \\
    && rm /tmp/environment.yml
ENV PATH=/azureml-envs/project/bin:${PATH} \\
    CONDA_DEFAULT_ENV=/azureml-envs/project \\
    AZUREML_CONDA_ENVIRONMENT_PATH=/azureml-envs/project \\
    LD_LIBRARY_PATH=/azureml-envs/project/lib:${LD_LIBRARY_PATH}
"""
_LENGTH = 12
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_EXAMPLE = "for example {image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04, conda_file: environment.yml}"


@dataclass(frozen=True)
class Recipe:
    """How an image is made.

    Attributes:
        name: of the environment in Azure ML and of the repository: the `name` of the conda file.
        version: of the environment: 12 digits of a hash of all that goes into the image.
        base: the image that it starts from.
        conda: content of the conda file.
    """

    name: str
    version: str
    base: str
    conda: str

    @property
    def reference(self) -> str:
        """`azureml:name:version`."""
        return f"azureml:{self.name}:{self.version}"


def of_deployment(file: Path) -> Recipe | None:
    """The recipe of a deployment's environment; None where the file names one that is registered.

    Raises:
        UserError: the environment is written in a way that no image can be built from here.
    """
    document = yamlfile.load(file)
    environment = document.get("environment")
    if isinstance(environment, str):
        return None
    base, conda = document.get("environment", "image"), document.get("environment", "conda_file")
    if not isinstance(base, str) or not isinstance(conda, str):
        raise document.error(f"must have image and conda_file, to build the image from; {_EXAMPLE}", "environment")
    return _recipe(yamlfile.load(document.resolve(conda)), base)


def _recipe(conda: YamlFile, base: str) -> Recipe:
    name = conda.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise conda.error(
            f"'{name}' must be lower-case letters, digits, '-' and '_': the image gets it; for example scoring", "name"
        )
    text = conda.path.read_text(encoding="utf-8")
    digest = hashlib.sha256("\0".join((DOCKERFILE, base, text)).encode()).hexdigest()
    return Recipe(name, digest[:_LENGTH], base, text)
