"""The made-up run: its header, its frames and its scalars."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.recording import ArrayInfo, Header, ProbeInfo, RecordingWriter, RunFolder

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GROUPS = ("even", "odd")
PARTS = ("ground", "line", "inside")
TURN = 0.35  # radians, the spread of the angles
_MAP_SAMPLES = 8  # samples of which every pixel is predicted
_DRAWS = 40  # samples that are drawn
Arrays = dict[str, dict[str, np.ndarray]]
_FRAMES_AN_EPOCH = 4
_STEPS_A_FRAME = 50


def reference(
    samples: int, size: tuple[int, int, int], random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return a batch: `image`, `label`, `coarse`, `angle` in degrees and `mask`.

    Of the mask, what is at the right edge has no class.
    """
    labels = np.arange(samples) % len(CLASSES)
    angles = random.normal(0, TURN, samples)
    images = [glyph(int(c), a, size) for c, a in zip(labels, angles, strict=True)]
    masks = np.stack([parts(int(c), a, size) for c, a in zip(labels, angles, strict=True)])
    masks[:, :, -max(size[1] // 7, 1) :] = -1
    return {
        "image": np.stack(images).astype("f4"),
        "label": labels.astype("i8"),
        "coarse": (labels % 2).astype("i8"),
        "angle": np.rad2deg(angles).astype("f4"),
        "mask": masks,
    }


def glyph(kind: int, angle: float, size: tuple[int, int, int]) -> np.ndarray:
    """Return (height, width, channels): a closed curve with a class of its own, turned."""
    radius, edge = _curve(kind, angle, size)
    ink = np.exp(-np.square((radius - edge) / 0.11))
    tints = np.linspace(1.0, 0.35, size[2])
    return ink[..., None] * tints


def parts(kind: int, angle: float, size: tuple[int, int, int]) -> np.ndarray:
    """Return (height, width) int8: which of `PARTS` each pixel of the glyph is."""
    radius, edge = _curve(kind, angle, size)
    line = np.abs(radius - edge) < 0.11
    return np.where(line, 1, np.where(radius < edge, 2, 0)).astype(np.int8)


def filtered(images: np.ndarray, kernels: np.ndarray, done: float) -> np.ndarray:
    """Return (samples, height, width, channels): filtered and rectified; one channel is dead."""
    mean = images.mean(axis=-1)
    padded = np.pad(mean, ((0, 0), (1, 1), (1, 1)))
    height, width = mean.shape[1:]
    shifted = np.stack(
        [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)], axis=-1
    )
    maps = np.maximum(shifted @ kernels.reshape(-1, 9).T * (0.2 + done), 0)
    maps[..., 5] = 0
    return maps


def _curve(kind: int, angle: float, size: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each pixel is from the middle, and how far the curve is in its direction."""
    height, width, _ = size
    y, x = np.mgrid[0:height, 0:width]
    x, y = (x - (width - 1) / 2) / (width * 0.5), (y - (height - 1) / 2) / (height * 0.5)
    turn = np.arctan2(y, x) + angle
    edge = 0.55 + 0.22 * np.cos((kind // 2 + 1) * turn) * (1 if kind % 2 else -1)
    return np.hypot(x, y), edge


class Heads:
    """Predictions of a class, a number and a map, and samples of every class.

    Args:
        reference: the batch that is predicted.
        size: height, width and channels of the images.
        random: for the errors, which are the same in every frame.
    """

    def __init__(
        self,
        reference: dict[str, np.ndarray],
        size: tuple[int, int, int],
        random: np.random.Generator,
    ) -> None:
        self._reference, self._size = reference, size
        samples = len(reference["label"])
        self._doubt = random.normal(0, 1, (samples, len(CLASSES)))
        self._error = random.normal(0, 1, samples)
        self._speckle = random.random(reference["mask"][:_MAP_SAMPLES].shape)
        self._other = random.integers(0, len(PARTS), self._speckle.shape)
        self._turns = random.normal(0, 0.35, _DRAWS)
        self._grain = random.random((_DRAWS, *size))

    def predictions(self, done: float) -> dict[str, dict[str, np.ndarray]]:
        """Return the arrays of the three heads, by probe; `done` goes from 0 to 1."""
        truth = self._reference
        scores = 5 * done * np.eye(len(CLASSES))[truth["label"]] + 1.4 * self._doubt
        likely = np.exp(scores)
        angle = truth["angle"] * done + self._error * (3 + 12 * (1 - done))
        mask = np.maximum(truth["mask"][:_MAP_SAMPLES], 0)
        wrong = self._speckle < 0.06 + 0.6 * (1 - done)
        return {
            "predictions label": {
                "probabilities": (likely / likely.sum(axis=1, keepdims=True)).astype("f2")
            },
            "predictions angle": {"values": angle.astype("f2")},
            "predictions mask": {"classes": np.where(wrong, self._other, mask).astype("u1")},
        }

    def samples(self, done: float) -> dict[str, np.ndarray]:
        """Return `images` and the `classes` that they are of."""
        classes = np.arange(_DRAWS) * len(CLASSES) // _DRAWS
        pairs = zip(classes, self._turns, strict=True)
        images = np.stack([glyph(int(kind), turn, self._size) for kind, turn in pairs])
        drawn = images * done + self._grain * (1 - done)
        return {"images": drawn.astype("f2"), "classes": classes.astype("i4")}


class Example:
    """Frames of a training that converges smoothly; the same for the same seed.

    Args:
        latent: dimensions of the code.
        size: height, width and channels of the images.
        samples: of the reference batch.
        frames: after which it has converged.
        every_step: whether the losses of every step are recorded.
    """

    def __init__(
        self,
        latent: int = 2,
        size: tuple[int, int, int] = (28, 28, 1),
        samples: int = 400,
        frames: int = 40,
        every_step: bool = False,
    ) -> None:
        self._curves = ("loss", "image_loss", "kl_loss") if every_step else ()
        random = np.random.default_rng(7)
        self._latent, self._frames, self._size = latent, frames, size
        self.reference = reference(samples, size, random)
        self._goal = _goal(self.reference["label"], latent, random)
        self._noise = random.normal(0, 1, (samples, latent))
        self._kernels = random.normal(0.12, 0.4, (24, 3, 3))
        self._grain = random.normal(0, 0.08, (16, *size))
        self._heads = Heads(self.reference, size, random)

    def header(self, run: Mapping[str, Any] | None = None) -> Header:
        """Return what is fixed: two heads, the known kinds of probes and one that nobody knows."""
        said = {
            "model": "conv_vae",
            "data": "example",
            "params": {"latent": self._latent},
            "seed": 7,
            "backend": "none",
            "epochs": self._frames // _FRAMES_AN_EPOCH,
            "steps_per_epoch": _FRAMES_AN_EPOCH * _STEPS_A_FRAME,
            "heads": ["image", "kl"],
            "start_step": 0,
        }
        fields: dict[str, dict[str, Any]] = {
            "image": {"kind": "image", "shape": list(self._size), "input": True},
            "label": {"kind": "class", "classes": list(CLASSES)},
            "coarse": {"kind": "class", "classes": list(GROUPS)},
            "angle": {"kind": "value", "unit": "°"},
            "mask": {"kind": "class", "classes": list(PARTS)},
        }
        arrays = self.frame(0)
        probes = tuple(
            ProbeInfo(name, kind, {k: _info(v, axes) for k, v in arrays[name].items()}, options)
            for name, kind, axes, options in _PROBES
        )
        scalars = ("loss", "image_loss", "image_weight", "kl_loss", "kl_weight", "label_accuracy")
        validated = ("val_loss", "val_image_loss", "val_kl_loss", "val_label_accuracy")
        return Header(
            {**said, **(run or {})},
            fields,
            probes,
            (*scalars, "learning_rate", *validated),
            self._curves,
        )

    def frame(self, number: int) -> Arrays:
        """Return the arrays of a frame."""
        done = 1 - math.exp(-4 * number / self._frames)
        images = self.reference["image"]
        soft = (np.roll(images[:16], 1, 1) + np.roll(images[:16], 1, 2) + images[:16]) / 3
        blurred = soft * done + images.mean(axis=0) * (1 - done) + self._grain * soft
        maps = filtered(images[:8], self._kernels, done)
        small = np.maximum(maps[:, ::4, ::4] - 0.2, 0)
        units = np.maximum(self._goal[:8, :1] + np.linspace(-3, 3, 48) * done, 0)
        grid, at = self._scan(done)
        histogram = np.exp(-np.square(np.linspace(-3, 3, 60)) / (0.2 + done))
        return {
            "reconstruction": {"output": np.clip(blurred, 0, 1).astype("f2")},
            "activations": {
                "encoder/conv2d": maps[..., :8].astype("f2"),
                "encoder/conv2d_1": small.astype("f2"),
                "encoder/dense": units.astype("f2"),
            },
            "latent_codes": {"codes": (self._goal * done + self._noise * 0.3).astype("f4")},
            "latent_scan": {"grid": grid.astype("f2"), "x": at, "y": at},
            **self._heads.predictions(done),
            "samples": self._heads.samples(done),
            "gradients": {"histogram": histogram.astype("f4")},
        }

    def scalars(self, number: int) -> dict[str, float]:
        """Return a row of the table; validation once an epoch."""
        done = math.exp(-3.5 * number / self._frames)
        wobble = 1 + 0.03 * math.sin(12.9898 * number * number)
        image, divergence = (30 + 150 * done) * wobble, 8 * (1 - done) * wobble
        weight = min(1.0, number / self._frames * 2)
        row = {
            "loss": image + weight * divergence,
            "image_loss": image,
            "image_weight": 1.0,
            "kl_loss": divergence,
            "kl_weight": weight,
            "label_accuracy": 0.97 - 0.87 * done * wobble,
            "learning_rate": 1e-3,
        }
        if number % _FRAMES_AN_EPOCH == 0 and number:
            names = ("loss", "image_loss", "kl_loss", "label_accuracy")
            row |= {f"val_{name}": row[name] * 1.05 for name in names}
        return row

    def append(self, writer: RecordingWriter, number: int) -> None:
        """Write a frame and its row of scalars."""
        step, epoch = number * _STEPS_A_FRAME, number / _FRAMES_AN_EPOCH
        if self._curves and number:
            self._append_curves(writer, number)
        writer.append_scalars(step, epoch, number * 0.5, self.scalars(number))
        writer.append(step, epoch, number * 0.5, self.frame(number))

    def _append_curves(self, writer: RecordingWriter, number: int) -> None:
        """Write the steps since the frame before, noisy around a line between the two."""
        parts = np.arange(1, _STEPS_A_FRAME + 1) / _STEPS_A_FRAME
        ends = [self.scalars(one) for one in (number - 1, number)]
        lines = [np.interp(parts, [0, 1], [end[name] for end in ends]) for name in self._curves]
        noise = 1 + 0.1 * np.sin(97.0 * (number + parts) ** 2)
        frames = number - 1 + parts
        times = (frames / _FRAMES_AN_EPOCH, frames * 0.5)
        values = np.stack(lines, axis=1) * noise[:, None]
        writer.append_curves(np.round(frames * _STEPS_A_FRAME).astype(int), *times, values)

    def _scan(self, done: float) -> tuple[np.ndarray, np.ndarray]:
        at = np.linspace(-1.6, 1.6, 12).astype("f4")
        mean = self.reference["image"].mean(axis=0)
        rows = []
        for y in at[::-1]:
            kinds = [int((math.atan2(y, x) / math.tau % 1) * 10) % 10 for x in at]
            tiles = [glyph(k, float(y) * 0.2, self._size) for k in kinds]
            rows.append([t * done + mean * (1 - done) for t in tiles])
        return np.array(rows), at


def write_example(parent: Path, example: Example | None = None, frames: int = 40) -> Path:
    """Write a finished run below `parent` and return its folder."""
    made = example or Example(frames=frames)
    folder = RunFolder.create(parent, "conv_vae-example")
    header = made.header()
    folder.write({"model": "conv_vae", "data": "example", "status": "training"})
    with RecordingWriter(folder.recording, header, made.reference) as writer:
        for number in range(frames):
            made.append(writer, number)
    folder.update(status="finished")
    return folder.path


_MAPS = ("sample", "height", "width", "channel")
_PROBES: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("reconstruction", "reconstruction", _MAPS, {"field": "image", "samples": 16}),
    ("activations", "activations", _MAPS, {"field": "image"}),
    ("latent_codes", "latent_codes", ("sample", "latent"), {"label": "label"}),
    ("latent_scan", "latent_scan", ("row", "column", *_MAPS[1:]), {"dimensions": [0, 1]}),
    *(
        (f"predictions {name}", "predictions", axes, {"output": name, "target": name})
        for name, axes in (
            ("label", ("sample", "class")),
            ("angle", ("sample",)),
            ("mask", _MAPS[:3]),
        )
    ),
    ("samples", "samples", _MAPS, {"label": "label"}),
    ("gradients", "gradient_histogram", ("bin",), {}),
)


def _info(array: np.ndarray, axes: tuple[str, ...]) -> ArrayInfo:
    names = axes if len(axes) == array.ndim else (axes[0], "unit")[: array.ndim]
    return ArrayInfo(array.shape, str(array.dtype), names)


def _goal(labels: np.ndarray, latent: int, random: np.random.Generator) -> np.ndarray:
    turn = math.tau * labels / len(CLASSES)
    plane = 1.5 * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    plane *= random.uniform(0.7, 1.1, (len(labels), 1))
    basis = np.eye(2, latent) if latent <= 2 else random.normal(0, 1, (2, latent)) / 2
    return plane @ basis
