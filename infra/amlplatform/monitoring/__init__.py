"""What is logged, and when somebody is told, as data. Standard library only."""

from __future__ import annotations
