"""Refuse bad answers before a file is written.

cookiecutter.json checks the answers as soon as they are given (`__checked`). Answers that are replayed from a file pass
that by; they are checked here, by the same function.
"""

import json
import sys

FAULTS = json.loads(r"""{{ cookiecutter | answer_faults | tojson }}""")

for fault in FAULTS:
    print(fault, file=sys.stderr)
sys.exit(1 if FAULTS else 0)
