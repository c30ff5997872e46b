"""Images per second and core: the batch driver beside what people write otherwise, and the limit that decoding sets.

    python benchmarks/image_scoring.py [--output FILE] [--quick]

Everything runs in one process with one thread. Figures are images per second of processor time, the best of several
rounds: what others do on the machine at the same time changes them little. Files are in the page cache.

    driver            score/batch_driver.py of the template: PNG files to rows of predictions, 100 files per mini-batch
    per-image loop    the same model and decoder, one file and one call of the network after the other
    network           the ONNX network alone, on pixels, 100 images per call
    scikit-learn      predict() of the network that the ONNX file was made from, on the same pixels, 100 images per call
    decoding          PNG files to pixels, and nothing else: no way of scoring files can be faster with this decoder
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "{{cookiecutter.project_slug}}" / "code" / "image-scoring"
MNIST = ROOT.parent / "shared" / "data" / "mnist-png" / "mnist-train-5000.zip"
PACKAGES = ("numpy", "onnxruntime", "pandas", "pillow", "scikit-learn")
MINI_BATCH = 100
TARGET = 5000
FIRST_LOOP_IMAGES = 1000

sys.path.insert(0, str(CODE))
os.environ.pop("AZUREML_BI_OUTPUT_PATH", None)

from image_scoring.images import Decoded, decode  # noqa: E402
from image_scoring.labelled import labelled_files  # noqa: E402
from image_scoring.model_folder import load_model, network_input, write_card  # noqa: E402


@dataclass(frozen=True)
class Case:
    """A folder of labelled images with a model that was trained on them."""

    name: str
    files: list[Path]
    network: Any
    model: Path


def make_case(name: str, images: Path, model: Path) -> Case:
    """Train briefly: the speed of the network does not depend on how good it is."""
    data = importlib.import_module("train.data").load_training_data(images)
    network = importlib.import_module("train.network")
    parameters = network.Hyperparameters(hidden_units=256, epochs=2, learning_rate=0.002, seed=1)
    trained = network.train(data.pixels, data.targets, data.size, parameters)
    model.mkdir()
    importlib.import_module("train.onnx_export").export_onnx(trained.network, data.pixels, model / "model.onnx")
    write_card(model, importlib.import_module("train.main").model_card(data, parameters, trained))
    return Case(name, [path for _, path in labelled_files(images, "images")], trained.network, model)


def measure(case: Case, seconds: float) -> dict[str, Any]:
    """Images per second and core for each way."""
    model = load_model(case.model)
    driver = importlib.import_module("score.batch_driver")
    os.environ["AZUREML_MODEL_DIR"] = str(case.model.parent)
    driver.init()
    decoded = decode(case.files, model.card.size)

    def per_image(files: Sequence[Path]) -> list[tuple[str, str]]:
        rows = []
        for path in files:
            probabilities = model.probabilities(decode([path], model.card.size).pixels)
            rows.append((path.name, model.card.labels[int(probabilities[0].argmax())]))
        return rows

    ways: dict[str, Callable[[], object]] = {
        "driver": lambda: [driver.run([str(path) for path in files]) for files in chunks(case.files)],
        "per-image loop": lambda: per_image(case.files[:FIRST_LOOP_IMAGES]),
        "network": lambda: [model.probabilities(pixels) for pixels in chunks(decoded.pixels)],
        "scikit-learn": lambda: [case.network.predict(network_input(pixels)) for pixels in chunks(decoded.pixels)],
        "decoding": lambda: [decode(files, model.card.size) for files in chunks(case.files)],
    }
    counts = dict.fromkeys(ways, len(case.files)) | {"per-image loop": min(len(case.files), FIRST_LOOP_IMAGES)}
    check_same_labels(case, decoded, driver, per_image)
    return {
        "images": len(case.files),
        "size": str(model.card.size),
        "bytes_per_file": round(sum(path.stat().st_size for path in case.files) / len(case.files)),
        "images_per_second_and_core": {name: round(rate(way, counts[name], seconds)) for name, way in ways.items()},
    }


def check_same_labels(case: Case, decoded: Decoded, driver: Any, per_image: Callable[[Sequence[Path]], Any]) -> None:
    """All ways give the same labels; otherwise their speed could not be compared. Raises RuntimeError."""
    files = case.files[:FIRST_LOOP_IMAGES]
    ours = list(driver.run([str(path) for path in files])["label"])
    looped = [label for _, label in per_image(files)]
    labels = load_model(case.model).card.labels
    sklearn = [labels[i] for i in case.network.predict(network_input(decoded.pixels[: len(files)]))]
    if not ours == looped == sklearn:
        raise RuntimeError(f"{case.name}: the ways of scoring give different labels")


def chunks(items: Any) -> list[Any]:
    """The items in mini-batches."""
    return [items[start : start + MINI_BATCH] for start in range(0, len(items), MINI_BATCH)]


def rate(way: Callable[[], object], images: int, seconds: float) -> float:
    """Images per second of processor time: the best round of those that fit into `seconds`, at least three."""
    way()
    best, end, rounds = float("inf"), time.monotonic() + seconds, 0
    while rounds < 3 or time.monotonic() < end:
        start = time.process_time()
        way()
        best = min(best, time.process_time() - start)
        rounds += 1
    return images / best


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    cases: dict[str, Any] = result["cases"]
    ways = list(next(iter(cases.values()))["images_per_second_and_core"])
    titles = [f"{name} ({case['images']:,} PNG files, {case['size']})" for name, case in cases.items()]
    lines = ["images per second and core", "", f"{'':<16}" + "".join(f"{title:>42}" for title in titles)]
    for way in ways:
        figures = [f"{case['images_per_second_and_core'][way]:>42,}" for case in cases.values()]
        lines.append(f"{way:<16}" + "".join(figures))
    lines += ["", *(f"{name}: {value}" for name, value in result["machine"].items())]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when the driver misses its target."""
    parser = argparse.ArgumentParser(description="Images per second and core of the batch driver and of other ways.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="the sample only, few rounds")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch, threadpool_limits(1):
        folder = Path(scratch)
        (folder / "digits").mkdir()
        importlib.import_module("prepare.sample").write_sample(folder / "digits")
        cases = [make_case("digits of scikit-learn", folder / "digits", folder / "model-digits")]
        if MNIST.is_file() and not options.quick:
            with zipfile.ZipFile(MNIST) as archive:
                archive.extractall(folder / "mnist")
            cases.append(make_case("MNIST", folder / "mnist", folder / "model-mnist"))
        measured = {}
        for case in cases:
            only = folder / f"only-{case.model.name}"
            only.mkdir()
            moved = Case(case.name, case.files, case.network, case.model.rename(only / "model"))
            measured[case.name] = measure(moved, seconds=0.0 if options.quick else 2.0)
    result = {"date": datetime.now(UTC).date().isoformat(), "machine": machine(), "target": TARGET, "cases": measured}
    print(table(result))
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    slowest = min(case["images_per_second_and_core"]["driver"] for case in measured.values())
    if slowest < TARGET:
        print(f"driver: {slowest:,} images per second and core are fewer than {TARGET:,}", file=sys.stderr)
    return 0 if slowest >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
