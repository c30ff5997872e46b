"""A commit's way into an environment: train, wait, deploy, hand over, promote. What `amlops release` and CI do."""
