"""Images of jobs and deployments: built once from an environment's files, moved as they are, named by digest."""
