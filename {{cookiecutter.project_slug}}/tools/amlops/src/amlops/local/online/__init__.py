"""Real-time endpoints of the laptop: a router and Azure ML's inference server, in processes of their own."""

from amlops.local.online.deployments import LocalOnlineDeployments
from amlops.local.online.endpoints import LocalOnlineEndpoints

__all__ = ["LocalOnlineDeployments", "LocalOnlineEndpoints"]
