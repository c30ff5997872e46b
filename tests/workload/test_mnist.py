"""MNIST: trained on 5,000 images of 28x28 pixels, scored on 1,000 others, through the project's own files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from workload_support import ROOT, RUN, Project, told

DATA = ROOT.parent / "shared" / "data" / "mnist-png"


def unpack(archive: Path, target: Path) -> Path:
    """Unpack an archive whose entries all lie below `target`."""
    with zipfile.ZipFile(archive) as content:
        for name in content.namelist():
            if not (target / name).resolve().is_relative_to(target.resolve()):
                raise ValueError(f"{archive.name}: entry '{name}' leaves the folder")
        content.extractall(target)
    return target


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as content:
        content.writestr("../outside.txt", "x")
    with pytest.raises(ValueError, match="leaves the folder"):
        unpack(tmp_path / "bad.zip", tmp_path / "inside")
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs {DATA.relative_to(ROOT.parent)} beside the repository")
def test_images_not_seen_are_recognised(project: Project, tmp_path: Path) -> None:
    train = unpack(DATA / "mnist-train-5000.zip", tmp_path / "train")
    score = unpack(DATA / "mnist-score-1000.zip", tmp_path / "score")
    done = project.python(
        RUN, "--images", train, "--score", score / "images", "--labels", score / "labels.csv",
        "--report", tmp_path / "report.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = told(done.stdout)
    assert int(found["images"]) == 1000
    assert float(found["accuracy"]) >= 0.95
    assert "<figure>" in (tmp_path / "report.html").read_text(encoding="utf-8")
