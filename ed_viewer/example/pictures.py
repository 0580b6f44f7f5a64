"""Made-up samples: closed curves, one shape a class, with what a network could learn of them."""

import numpy as np

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GROUPS = ("even", "odd")
PARTS = ("ground", "line", "inside")
TURN = 0.35  # radians, the spread of the angles


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
