"""Images per second and core: the batch drivers beside what people write otherwise, and the limit that decoding sets.

    python benchmarks/image_scoring.py [--output FILE] [--quick]

Everything runs in one process with one thread. Figures are images per second of processor time, the best of several
rounds: what others do on the machine at the same time changes them little. Files are in the page cache.

    driver            the batch driver of the template: PNG files to rows of predictions, 100 files per mini-batch
    per-image loop    the same model and decoder, one file and one call of the network after the other
    network           the network alone, on pixels, 100 images per call
    scikit-learn      predict() of the network that the ONNX file was made from, on the same pixels, 100 images per call
    decoding          PNG files to pixels, and nothing else: no way of scoring files can be faster with this decoder

The first three are measured for the default (ONNX), for PyTorch and for Keras. The latter two are convolutional
networks, and left out where they are not installed.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "{{cookiecutter.project_slug}}" / "code" / "image-scoring"
MNIST = ROOT.parent / "shared" / "data" / "mnist-png" / "mnist-train-5000.zip"
PACKAGES = ("numpy", "onnxruntime", "pandas", "pillow", "scikit-learn", "torch", "keras", "tensorflow-cpu")
FRAMEWORKS = {"PyTorch": "pytorch", "Keras": "keras"}
MINI_BATCH = 100
TARGET = 5000
FIRST_LOOP_IMAGES = 1000

sys.path.insert(0, str(CODE))
os.environ.pop("AZUREML_BI_OUTPUT_PATH", None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from image_scoring.frameworks import KERAS, PYTORCH  # noqa: E402
from image_scoring.images import Decoded, decode  # noqa: E402
from image_scoring.labelled import labelled_files  # noqa: E402
from image_scoring.model_folder import Model, load_model, network_input, write_card  # noqa: E402
from image_scoring.steps import StepError  # noqa: E402


@dataclass(frozen=True)
class Case:
    """A folder of labelled images with models that were trained on them.

    Attributes:
        name: of the images.
        files: the images.
        network: the network of scikit-learn that the default was made from.
        models: folder that contains the model folder, by framework; "" is the default.
    """

    name: str
    files: list[Path]
    network: Any
    models: dict[str, Path]


def make_case(name: str, images: Path, models: Path) -> Case:
    """Train briefly: the speed of a network does not depend on how good it is."""
    data = importlib.import_module("image_scoring.training").load_training_data(images)
    network = importlib.import_module("train.network")
    parameters = network.Hyperparameters(hidden_units=256, epochs=2, learning_rate=0.002, seed=1)
    trained = network.train(data.pixels, data.targets, data.size, parameters)
    model = models / "default" / "model"
    model.mkdir(parents=True)
    importlib.import_module("train.onnx_export").export_onnx(trained.network, data.pixels, model / "model.onnx")
    write_card(model, importlib.import_module("train.main").model_card(data, parameters, trained))
    made = {"": model.parent}
    for framework in installed_frameworks():
        model = models / framework / "model"
        train = importlib.import_module(f"train_{FRAMEWORKS[framework]}.main")
        train.main([f"--train-images={images}", f"--model={model}", "--epochs=2"])
        made[framework] = model.parent
    return Case(name, [path for _, path in labelled_files(images, "images")], trained.network, made)


def installed_frameworks() -> Iterator[str]:
    """PyTorch and Keras, as far as they are there.

    One after the other: PyTorch's optimizers load a compiler (Triton) that ends the process when TensorFlow is there
    already, because both bring LLVM. The other way round they get on.
    """
    for framework in (PYTORCH, KERAS):
        try:
            framework.load()
        except StepError as missing:
            print(f"left out: {missing}", file=sys.stderr)
        else:
            yield framework.name


def measure(case: Case, seconds: float) -> dict[str, Any]:
    """Images per second and core for each way."""
    size = load_model(case.models[""] / "model").card.size
    decoded = decode(case.files, size)
    ways: dict[str, Callable[[], object]] = {}
    for framework, folder in case.models.items():
        prefix = f"{framework} " if framework else ""
        found = ways_of(framework, folder, case, decoded)
        check_same_labels(f"{case.name}, {framework or 'default'}", found)
        ways |= {f"{prefix}{name}": way for name, way in found.items()}
    ways["scikit-learn"] = lambda: [case.network.predict(network_input(pixels)) for pixels in chunks(decoded.pixels)]
    ways["decoding"] = lambda: [decode(files, size) for files in chunks(case.files)]
    few = min(len(case.files), FIRST_LOOP_IMAGES)
    counts = {name: few if name.endswith("per-image loop") else len(case.files) for name in ways}
    return {
        "images": len(case.files),
        "size": str(size),
        "bytes_per_file": round(sum(path.stat().st_size for path in case.files) / len(case.files)),
        "images_per_second_and_core": {name: round(rate(way, counts[name], seconds)) for name, way in ways.items()},
    }


def ways_of(framework: str, folder: Path, case: Case, decoded: Decoded) -> dict[str, Callable[[], list[str]]]:
    """The ways to score with one model; each gives the labels of the files, the loop those of the first ones."""
    step = f"score_{FRAMEWORKS[framework]}" if framework else "score"
    driver = importlib.import_module(f"{step}.batch_driver")
    os.environ["AZUREML_MODEL_DIR"] = str(folder)
    driver.init()
    model = load_model(folder / "model")

    def labels(probabilities: Any) -> list[str]:
        return [model.card.labels[i] for i in probabilities.argmax(axis=1)]

    def in_batches() -> list[str]:
        return [label for files in chunks(case.files) for label in driver.run([str(path) for path in files])["label"]]

    def network() -> list[str]:
        return [label for pixels in chunks(decoded.pixels) for label in labels(model.probabilities(pixels))]

    return {"driver": in_batches, "per-image loop": lambda: per_image(model, case.files), "network": network}


def per_image(model: Model, files: Sequence[Path]) -> list[str]:
    """One file and one call of the network after the other, with that one image alone."""
    forward = getattr(model.network, "forward", model.network.probabilities)
    found = []
    for path in files[:FIRST_LOOP_IMAGES]:
        probabilities = forward(network_input(decode([path], model.card.size).pixels))
        found.append(model.card.labels[int(probabilities[0].argmax())])
    return found


def check_same_labels(name: str, ways: dict[str, Callable[[], list[str]]]) -> None:
    """All ways give the same labels; otherwise their speed could not be compared. Raises RuntimeError."""
    labels = [way()[:FIRST_LOOP_IMAGES] for way in ways.values()]
    if any(found != labels[0] for found in labels):
        raise RuntimeError(f"{name}: the ways of scoring give different labels")


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
        **{name: found for name in PACKAGES if (found := installed(name))},
    }


def installed(package: str) -> str:
    """Version of a package, "" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


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
    lines = ["images per second and core", "", f"{'':<24}" + "".join(f"{title:>42}" for title in titles)]
    for way in ways:
        figures = [f"{case['images_per_second_and_core'][way]:>42,}" for case in cases.values()]
        lines.append(f"{way:<24}" + "".join(figures))
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
        cases = [make_case("digits of scikit-learn", folder / "digits", folder / "models-digits")]
        if MNIST.is_file() and not options.quick:
            with zipfile.ZipFile(MNIST) as archive:
                archive.extractall(folder / "mnist")
            cases.append(make_case("MNIST", folder / "mnist", folder / "models-mnist"))
        measured = {case.name: measure(case, seconds=0.0 if options.quick else 2.0) for case in cases}
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
