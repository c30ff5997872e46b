# Each target is one plain command; it works without make too.
PYTHON ?= python3

.PHONY: help demo test check pulumi generated lock

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: ## a project, its pipeline on real digits, its dev and prod environments; no account needed
	$(PYTHON) tools/demo.py

test: ## everything, what CI runs
	$(PYTHON) tools/run_tests.py

check: ## the fast part of the tests
	$(PYTHON) tools/run_tests.py --fast

pulumi: ## build the Pulumi CLI into .tools/bin when none is on PATH
	$(PYTHON) tools/pulumi/build.py

generated: ## write what is made from the programs: tables in the docs, the request's schema, hashes
	$(PYTHON) tools/generated.py

lock: ## write the lock files again
	$(PYTHON) tools/lock.py
