"""Azure Machine Learning environments from a request file: what is asked, what is built, and how."""

from __future__ import annotations

__version__ = "0.1.0"
