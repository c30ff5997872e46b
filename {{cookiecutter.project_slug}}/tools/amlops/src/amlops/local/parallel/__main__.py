"""`python -P -m amlops.local.parallel FOLDER`: runs the parallel job whose plan lies in FOLDER, or resumes it.

What a person wants to know goes to standard error, the result to FOLDER/result.json. Exit code 0: completed; 1: the
plan or its input is wrong; 3: the job failed; 130: it was interrupted (Ctrl-C, SIGTERM); the next start goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path

from amlops.errors import AmlopsError, JobFailed, UsageError
from amlops.local.interrupts import terminate_as_interrupt
from amlops.local.parallel.message import failed_line
from amlops.local.parallel.plan import ParallelPlan
from amlops.local.parallel.progress import note, progress_of
from amlops.local.parallel.runner import run_parallel


def main(arguments: list[str]) -> int:
    """Run the job and return the exit code."""
    try:
        if len(arguments) != 1:
            raise UsageError("one argument is needed: the folder of the job")
        folder = Path(arguments[0]).resolve()
        plan = ParallelPlan.load(folder)
        with terminate_as_interrupt(), progress_of(plan.name, lines=True, with_bar=bool(plan.nodes)) as progress:
            result = run_parallel(plan, folder, progress)
        for text in result["notes"]:
            note(text)
        if result["status"] != "Completed":
            raise JobFailed(result["message"])
        if result["items"]["failed"]:
            note(failed_line(result))
    except KeyboardInterrupt:
        return 130
    except AmlopsError as error:
        print(f"amlops: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
