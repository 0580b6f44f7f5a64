"""Train on every backend and load the weights on every other: the outputs must be the same.

EDKIT_DATA=../shared/data python scripts/check_backends.py conv_autoencoder fashion_mnist 3
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BACKENDS = ("jax", "torch", "tensorflow")
TOLERANCE = 1e-5

PREDICT = """
import sys, numpy as np, ed_core
run = ed_core.open_run(sys.argv[1])
images = run.data.splits["test"]["image"][:200]
np.save(sys.argv[2], run.model.predict({"image": images}, batch_size=200, verbose=0)["image"])
"""


def edkit(*arguments):
    """Run the command; return what it prints on standard output."""
    command = [sys.executable, "-m", "ed_core.command", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main(model="conv_autoencoder", data="fashion_mnist", epochs="3"):
    """Print the largest difference for each pair of backends; return 1 if one is too large."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for trained_on in BACKENDS:
            run = edkit(
                "train", model, "--data", data, "--epochs", epochs,
                "--backend", trained_on, "--out", folder,
            )  # fmt: skip
            outputs = {}
            for backend in BACKENDS:
                file = Path(folder) / f"{backend}.npy"
                command = [sys.executable, "-c", PREDICT, run, str(file)]
                subprocess.run(command, check=True, env={**os.environ, "KERAS_BACKEND": backend})
                outputs[backend] = np.load(file)
                difference = float(np.abs(outputs[backend] - outputs[BACKENDS[0]]).max())
                worst = max(worst, difference)
                print(f"trained on {trained_on}, run on {backend}: differs by {difference:.1e}")
    print(f"largest difference {worst:.1e}, allowed {TOLERANCE:.0e}")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
