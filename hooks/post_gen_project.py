"""Remove what the answers did not ask for, start a git repository, say what to do first.

Standard library only. Which paths go is decided by options.yaml and arrives here through Jinja.
"""

import json
import shutil
import subprocess
from pathlib import Path

UNCHOSEN = json.loads(r"""{{ cookiecutter | unchosen_paths | tojson }}""")
# Left behind in the template's own folder by its tests and linters.
CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache")
# cruft renders into folders of its own and compares them: nothing but the project's files may be in these.
MADE_BY_COOKIECUTTER = json.loads("{{ (cookiecutter._repo_dir is defined) | tojson }}")


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, and folders above that are empty then."""
    if not path.exists():
        return
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    for parent in path.parents:
        if parent == Path() or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()


def start_repository() -> None:
    """`git init`, where git is there and the project lies in no repository, or in one that ignores it."""
    if shutil.which("git") is None:
        return
    inside = subprocess.run(["git", "rev-parse", "--is-inside-work-tree"], capture_output=True, check=False)
    ignored = subprocess.run(["git", "check-ignore", "--quiet", "."], capture_output=True, check=False)
    if inside.returncode != 0 or ignored.returncode == 0:
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], capture_output=True, check=False)


for unchosen in UNCHOSEN:
    remove(Path(unchosen))
for cache in [path for name in CACHES for path in Path().rglob(name)]:
    shutil.rmtree(cache, ignore_errors=True)
if MADE_BY_COOKIECUTTER:
    start_repository()
    print("""
Made {{ cookiecutter.project_slug }}. First steps:
  cd {{ cookiecutter.project_slug }}
  make setup     # or: python tools/tasks.py setup
  make run       # or: python tools/tasks.py run
  make test      # or: python tools/tasks.py test""")
