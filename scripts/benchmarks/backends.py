"""Comparison of the backends: every registered model on each, from equal weights.

    python scripts/benchmarks/backends.py  # all models: 20 steps, 60 on their own
    python scripts/benchmarks/backends.py --model vae --model unet --steps 5
    python scripts/benchmarks/backends.py --trained conv_autoencoder fashion_mnist 3

The first prints how far outputs, losses and gradients are from JAX's, each in parts of its largest
value; how far JAX's own gradients are from double precision; and how far the losses after 60 steps
are from JAX's that began with equal weights and were left alone. `backends_steps.py` says
what is equal. The last trains on every backend and loads the weights on every other.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BACKENDS = ("jax", "torch", "tensorflow")
STEPS = Path(__file__).with_name("backends_steps.py")
GRADIENTS = 1e-4  # of the largest of the variable in that step
VALUES = 1e-5  # of the largest of an output, or of a loss, in all steps
# A gradient that is a sum of large numbers of both signs, such as that of a bias on which the loss
# does not depend, is not settled in single precision: JAX itself is farther than SETTLED from
# double. There a difference is measured in parts of a tenth of the model's largest gradient.
SETTLED = 1e-5
SMALL_SHARE = 0.1
TRAINED = 1e-5

KINDS = {
    "eager": "compile nothing",
    "large": "the U-Nets with 16 and 32 filters, on 32 by 32 pixels",
    "any": "take any batch, however near to 0 a ReLU decides",
    "smooth": "softplus in the place of every layer ReLU",
}


@dataclass(frozen=True)
class Row:
    """How far one model on one backend is from JAX, each in parts of the largest.

    `where` names the gradient that is farthest: step and path; `unsettled` those which JAX itself
    does not settle.
    """

    model: str
    backend: str
    outputs: float
    losses: float
    gradients: float
    free: float
    where: str
    unsettled: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether all that is compared at equal weights is as near as it should be."""
        return max(self.outputs, self.losses) <= VALUES and self.gradients <= GRADIENTS

    def __str__(self) -> str:
        far = [f"{x:.1e}" for x in (self.outputs, self.losses, self.gradients, self.free)]
        what = "not settled" if self.backend == BACKENDS[0] else "too far"
        where = "" if self.fits else f"  {what}: {self.where}"
        return f"{self.model:28} {self.backend:11}" + "".join(f"{x:>11}" for x in far) + where


HEADING = (
    f"{'model':28} {'backend':11}{'outputs':>11}{'losses':>11}{'gradients':>11}{'on its own':>11}"
)


def take_steps(
    folder: Path, backend: str, models: Sequence[str], weights: Path | str = "", **options: Any
) -> "subprocess.Popen[str]":
    """Start the process that runs the models on one backend, and writes a file each into `folder`.

    Args:
        folder: made here.
        backend: that Keras is to use.
        models: by name.
        weights: the folder of the reference whose weights are loaded before each step.
        options: `steps`, `free`, `floatx`, and those of `KINDS`.
    """
    folder.mkdir(parents=True)
    usual = {"steps": 20, "free": 60, "floatx": "float32", **dict.fromkeys(KINDS, False)}
    job = {"models": list(models), "out": str(folder), "weights": str(weights)}
    (folder / "job.json").write_text(json.dumps({**job, **usual, **options}))
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "KERAS_BACKEND": backend}
    return subprocess.Popen(
        [sys.executable, str(STEPS), str(folder / "job.json")],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> None:
    """Wait for a process; raises RuntimeError with what it said if it failed."""
    try:
        said = process.communicate()[1]
    except BaseException:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(said[-3000:])


def run_all(folder: Path, models: Sequence[str], **options: Any) -> list[Row]:
    """Run the models in double precision and on every backend; return a row a model and backend.

    Args:
        folder: for the files, a folder each.
        models: by name.
        options: of `take_steps`; two processes run at a time.
    """
    double = folder / "double"
    finish(take_steps(double, "torch", models, **{**options, "floatx": "float64", "free": 0}))
    first = take_steps(folder / "jax", "jax", models, double, **options)
    try:
        for backend in BACKENDS[1:]:
            finish(take_steps(folder / backend, backend, models, double, **options))
    except BaseException:
        first.kill()
        raise
    finish(first)
    rows = []
    for model in sorted(models):
        files = [np.load(folder / name / f"{model}.npz") for name in ("double", *BACKENDS)]
        exact, expected, *others = files
        rows.append(make_row(model, "jax", exact, exact, expected))
        for backend, found in zip(BACKENDS[1:], others, strict=True):
            rows.append(make_row(model, backend, exact, expected, found))
    return rows


def make_row(model: str, backend: str, exact: Any, expected: Any, found: Any) -> Row:
    """Return how far `found` is from `expected`, where that is near `exact`."""
    if str(exact["draws"]) != str(found["draws"]):
        raise RuntimeError(f"{model} on {backend}: the layers drew {found['draws']}")
    gradients, unsettled = {}, []
    for key in (key for key in expected if key.startswith("gradient/")):
        path, share = str(exact["paths"][int(key.split("/")[2])]), 0.0
        if _far(exact[key], expected[key]) > SETTLED:
            share = SMALL_SHARE * _largest_gradient(exact, key.split("/")[1])
            unsettled.append(path)
        where = f"step {key.split('/')[1]}, {path}"
        gradients[where] = max(
            gradients.get(where, 0.0), _far(expected[key], found[key], at_least=share)
        )
    worst = max(gradients, key=gradients.__getitem__)
    last = f"free/{sum(k.startswith('free/') and k.endswith('/loss') for k in found) - 1}/loss"
    return Row(
        model,
        backend,
        _far_over_steps("output", expected, found),
        _far_over_steps("loss", expected, found),
        gradients[worst],
        _far(expected[last], found[last]) if last in expected else 0.0,
        worst,
        tuple(dict.fromkeys(unsettled)),
    )


def _largest_gradient(exact: Any, step: str) -> float:
    keys = (key for key in exact if key.startswith(f"gradient/{step}/"))
    return max(float(np.abs(exact[key]).max()) for key in keys)


def _far_over_steps(what: str, expected: Any, found: Any) -> float:
    """Return the largest difference of any loss or output, in parts of its largest in all steps."""
    by_name: dict[str, list[str]] = {}
    for key in expected:
        if key.startswith(f"{what}/"):
            by_name.setdefault(key.split("/")[2], []).append(key)
    return max(
        _far(np.stack([expected[k] for k in keys]), np.stack([found[k] for k in keys]))
        for keys in by_name.values()
    )


def _far(expected: np.ndarray, found: np.ndarray, at_least: float = 0.0) -> float:
    """Return the largest difference in parts of the largest expected; infinite if one is NaN."""
    expected, found = expected.astype("f8"), found.astype("f8")
    difference = float(np.abs(expected - found).max(initial=0.0))
    if np.isnan(difference):
        return float("inf")
    largest = max(float(np.abs(expected).max(initial=0.0)), at_least, 1e-30)
    return 0.0 if difference == 0 else difference / largest


PREDICT = """
import sys, numpy as np, ed_core
run = ed_core.open_run(sys.argv[1])
images = run.data.splits["test"]["image"][:200]
np.save(sys.argv[2], run.model.predict({"image": images}, batch_size=200, verbose=0)["image"])
"""


def check_trained(model: str, data: str, epochs: str) -> int:
    """Print how far a model trained on one backend is on another; return 1 if it is too far."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for trained_on in BACKENDS:
            command = [sys.executable, "-m", "ed_core.cli", "train", model, "--data", data]
            command += ["--epochs", epochs, "--backend", trained_on, "--out", folder]
            run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            outputs = {}
            for backend in BACKENDS:
                file = Path(folder) / f"{backend}.npy"
                command = [sys.executable, "-c", PREDICT, run.stdout.strip(), str(file)]
                subprocess.run(command, check=True, env={**os.environ, "KERAS_BACKEND": backend})
                outputs[backend] = np.load(file)
                difference = float(np.abs(outputs[backend] - outputs[BACKENDS[0]]).max())
                worst = max(worst, difference)
                print(f"trained on {trained_on}, run on {backend}: differs by {difference:.1e}")
    print(f"largest difference {worst:.1e}, allowed {TRAINED:.0e}")
    return int(worst > TRAINED)


def check_steps(models: Sequence[str], **options: Any) -> int:
    """Print the table; return 1 if a row does not fit."""
    with tempfile.TemporaryDirectory() as name:
        rows = run_all(Path(name), models, **options)
    print(HEADING)
    for row in rows:
        print(row)
    print("jax is compared with double precision, the others with jax; there single precision does")
    print("not settle, and parts of a tenth of the model's largest gradient are counted, in")
    for row in rows:
        if row.backend == "torch" and row.unsettled:
            print(f"  {row.model}: {', '.join(row.unsettled)}")
    bad = sum(not row.fits for row in rows if row.backend != "jax")
    print(f"allowed: outputs and losses {VALUES:.0e}, gradients {GRADIENTS:.0e}; too far: {bad}")
    return int(bad > 0)


def main() -> int:
    """Read the options and run what they ask for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", action="append", help="only this one; may be repeated")
    parser.add_argument("--steps", type=int, default=20, help="compared at equal weights")
    parser.add_argument("--free", type=int, default=60, help="from equal weights on their own")
    for kind, help_ in KINDS.items():
        parser.add_argument(f"--{kind}", action="store_true", help=help_)
    parser.add_argument("--trained", nargs=3, metavar=("MODEL", "DATA", "EPOCHS"))
    given = parser.parse_args()
    if given.trained:
        return check_trained(*given.trained)
    os.environ.setdefault("KERAS_BACKEND", "jax")
    from ed_core.plugins.decorators import MODELS

    models = given.model or sorted(MODELS)
    kinds = {kind: getattr(given, kind) for kind in KINDS}
    return check_steps(models, steps=given.steps, free=given.free, **kinds)


if __name__ == "__main__":
    sys.exit(main())
