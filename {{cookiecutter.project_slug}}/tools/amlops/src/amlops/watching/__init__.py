"""Watching an environment: what is wrong in it, what the logs of a job say, how long its parts took.

Everything here asks the workspace only; it is the same on the laptop and in Azure.
"""
