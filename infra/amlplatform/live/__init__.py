"""Live projects: Pulumi.yaml, requests and stack files, which a platform team keeps apart from this program."""

from __future__ import annotations
