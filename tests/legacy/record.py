"""Records the run folders of this directory, as 88a7842 makes them.

    git clone . /tmp/old && git -C /tmp/old checkout 88a7842
    PYTHONPATH=/tmp/old KERAS_BACKEND=torch python tests/legacy/record.py torch

Every model has one run that finished its two epochs; `stopped-BACKEND` is a dense auto-encoder that
was stopped after step 4, and `stopped-BACKEND.npz` what it is when it goes on with gradients that
are zeroed before each step.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

import keras
import numpy as np

import ed_core
from ed_core.training.callbacks import Interrupted
from ed_core.training.train import resume

HERE = Path(__file__).parent
LAND = "land_use:samples=24,size=16"
PICTURES, SIGNALS, VIDEOS = "arrays:pictures.npz", "arrays:signals.npz", "arrays:videos.npz"
UNET = {"filters": (4, 6)}
CLASSIFIER = {"hidden": (6,), "latent": 3, "classifier": (4,)}
MODELS = {
    "dense_autoencoder": ("torch", PICTURES, {"hidden": (6,), "latent": 3, "sparsity": 0.01}),
    "conv_autoencoder": ("torch", PICTURES, {"filters": (4, 2)}),
    "stacked_autoencoder": ("torch", PICTURES, {"hidden": (8,), "latent": 3}),
    "vae": ("torch", PICTURES, {"hidden": (6,), "latent": 2, "anneal": 1.0}),
    "conv_vae": ("torch", PICTURES, {"filters": (4, 4), "latent": 2}),
    "conditional_vae": ("torch", PICTURES, {"hidden": (6,), "latent": 2}),
    "autoencoder_classifier": ("torch", PICTURES, {**CLASSIFIER, "labels": {"label": 0.5}}),
    "digit_and_angle": ("torch", PICTURES, {"filters": (4, 4), "hidden": (6,)}),
    "coarse_and_fine": ("jax", PICTURES, {"filters": (4, 4), "latent": 6}),
    "classifier": ("jax", PICTURES, {"filters": (4,), "hidden": (6,)}),
    "siamese": ("jax", PICTURES, {"filters": (4,), "hidden": 6}),
    "unet": ("jax", LAND, UNET),
    "fusion_unet": ("tensorflow", LAND, {**UNET, "elevation_filters": (2, 4)}),
    "unet_land_use_and_elevation": ("tensorflow", LAND, UNET),
    "gan": ("jax", PICTURES, {"filters": (6, 4), "latent": 4}),
    "conditional_gan": ("tensorflow", PICTURES, {"filters": (6, 4), "latent": 4}),
    "signal_autoencoder": ("tensorflow", SIGNALS, {"filters": (4, 2), "kernel": 3}),
    "video_autoencoder": ("jax", VIDEOS, {"filters": (3, 2)}),
}  # fmt: skip
PLAN = {"epochs": 2, "batch_size": 8, "every": 2, "learning_rate": 0.01}


class Zeroed(keras.callbacks.Callback):
    """Lets every gradient begin at 0."""

    def on_train_batch_begin(self, batch, logs=None):
        if keras.config.backend() == "torch":
            for variable in self.model.trainable_variables:
                variable.value.grad = None


class StopAfter(keras.callbacks.Callback):
    """Asks the training to stop after step 4."""

    def on_train_batch_end(self, batch, logs=None):
        if int(keras.ops.convert_to_numpy(self.model.optimizer.iterations.value)) == 4:
            os.kill(os.getpid(), signal.SIGTERM)


def make_data() -> None:
    """Write the data: shapes that are drawn, 24 to train and 12 to test."""
    random = np.random.default_rng(7)
    pictures, signals, videos = {}, {}, {}
    for split, count in (("train", 24), ("test", 12)):
        label = np.arange(count) % 3
        rows, columns = np.mgrid[:8, :8]
        image = np.zeros((count, 8, 8, 1), "uint8")
        angle = random.uniform(-40, 40, count).astype("float32")
        for number in range(count):
            tilt = np.tan(np.deg2rad(angle[number]))
            line = np.abs((rows - 3.5) * tilt + columns - 2 - 2 * label[number]) < 1.2
            image[number, ..., 0] = 230 * line + random.integers(0, 20, (8, 8))
        pictures |= {
            f"{split}/image": image,
            f"{split}/label": label.astype("int8"),
            f"{split}/angle": angle,
            f"{split}/coarse": (label > 0).astype("int8"),
        }
        time = np.arange(16)
        phase = random.uniform(0, 6, (count, 1))
        signals[f"{split}/signal"] = np.sin(time / 2 + phase).astype("float32")[..., None]
        videos[f"{split}/video"] = random.integers(0, 255, (count // 2, 4, 8, 8, 1)).astype("uint8")
    pictures |= {"train/label.kind": np.array("class"), "train/coarse.kind": np.array("class")}
    np.savez_compressed(HERE / "pictures.npz", **pictures)
    np.savez_compressed(HERE / "signals.npz", **signals)
    np.savez_compressed(HERE / "videos.npz", **videos)


def keep(work, name: str) -> Path:
    """Run a training and move its folder here."""
    with tempfile.TemporaryDirectory() as folder:
        work(out=folder)
        shutil.rmtree(HERE / name, ignore_errors=True)
        shutil.move(next(Path(folder).iterdir()), HERE / name)
    (HERE / name / "lock").unlink()
    return HERE / name


def main(backend: str) -> None:
    os.chdir(HERE)
    if not Path("pictures.npz").exists():
        make_data()
    for model, (where, data, options) in MODELS.items():
        if where == backend:
            plan = {**PLAN, **options}
            keep(partial(ed_core.train, model, data, **plan), model)
    options = MODELS["dense_autoencoder"][2]

    def stopped(out):
        plan = {**PLAN, **options, "out": out, "callbacks": [StopAfter()]}
        with contextlib.suppress(Interrupted):
            ed_core.train("dense_autoencoder", PICTURES, **plan)

    folder = keep(stopped, f"stopped-{backend}")
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, f"{copy}/run")
        run = resume(f"{copy}/run", callbacks=[Zeroed()])
        weights = [np.asarray(keras.ops.convert_to_numpy(v)) for v in run.model.layer_weights]
        np.savez_compressed(HERE / f"stopped-{backend}.npz", *weights)


if __name__ == "__main__":
    main(sys.argv[1])
