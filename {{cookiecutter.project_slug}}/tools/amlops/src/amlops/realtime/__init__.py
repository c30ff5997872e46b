"""The way of a real-time deployment to production: load, smoke test, stress test, profile, rollout.

Everything here works with any workspace: it needs only where requests go, and how traffic is shared out.
"""
