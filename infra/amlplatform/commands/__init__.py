"""One file per command. What is slow to import (pulumi, jinja2) is imported inside the functions that need it."""

from __future__ import annotations
