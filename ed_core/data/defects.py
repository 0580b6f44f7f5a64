"""Synthetic defects: patches, blobs, regions, lines and cracks of another brightness or texture.

They stand in for real defects, of which nothing is known, where a model learns to tell what is odd
and where a score is chosen. The ideas are those of CutPaste (Li et al., 2021: parts of normal
images and thin lines pasted elsewhere) and DRAEM (Zavrtanik et al., 2021: textures blended in under
masks of smooth noise); no foreign image is needed.
"""

from collections.abc import Callable
from math import pi

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

_VISIBLE = 0.1  # deviations of a sample by which a number must change to be a part of a defect
_MOST = 2  # defects of one sample
_TRIES = 5  # until a defect can be seen
_SOFT = 0.5  # share of the defects of images whose edges are blurred
_EDGE = 0.01, 0.06  # deviation of the blur, in sizes of the image
_TURN = 0.15  # deviation of the direction of a crack from one pixel to the next, in radians
_FAINT = 1e-6  # the least maximum of a mask that is divided by

Random = np.random.Generator


def pasted(
    samples: np.ndarray, random: Random, *, positions: int = 2, share: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return samples with one or two defects pasted into each, and where they are.

    A defect is a patch, a blob or a line (of a signal: a stretch; of a table: some numbers). It
    is brighter or darker, a part of another sample, or a texture of noise, and more or less
    transparent; no number leaves the range of the samples.

    Args:
        samples: (samples, ..., channels), at least one.
        random: the generator; the defects are a function of its state.
        positions: axes before the channels that have neighbours: 2 of images and videos (height and
            width), 1 of signals (time), 0 of tables.
        share: of the samples that get defects, in 0..1.

    Returns:
        The samples, float32, and masks (samples, ..., 1), 1 where a defect can be seen, else 0.
    """
    original = samples.astype("float32")
    changed, masks = original.copy(), np.zeros((*original.shape[:-1], 1), "float32")
    if positions == 0:
        masks = np.zeros_like(original)
    least, most = original.min(), original.max()
    for row in np.flatnonzero(random.random(len(original)) < share):
        deviation = max(float(original[row].std()), 1e-6)
        for _ in range(_TRIES):
            one = np.clip(_damaged(original, int(row), positions, random), least, most)
            seen = np.abs(one - original[row]) > _VISIBLE * deviation
            if seen.any():
                break
        masks[row] = seen if positions == 0 else seen.any(axis=-1, keepdims=True)
        changed[row] = one
    return changed, masks


def _damaged(samples: np.ndarray, row: int, positions: int, random: Random) -> np.ndarray:
    """Return a sample with one or two defects; they may lie beyond it, or be as faint as it is."""
    one = samples[row]
    for _ in range(random.integers(1, _MOST + 1)):
        mask = _mask(one.shape, positions, random)
        content = _content(samples, row, positions, random)
        one = one + mask * random.uniform(0.3, 1.0) * (content - one)
    return one


def _mask(shape: tuple[int, ...], positions: int, random: Random) -> np.ndarray:
    """Return where a defect is, 0..1, in a shape that broadcasts with (..., channels)."""
    if positions == 0:
        chosen = random.random(shape) < random.uniform(0.05, 0.5)
        chosen.flat[random.integers(chosen.size)] = True
        return chosen.astype("float32")
    size = shape[-1 - positions : -1]
    if positions == 1:
        return _box(size, random)[:, None]
    kinds: tuple[Callable[..., np.ndarray], ...] = (_box, _blob, _line, _crack, _region)
    mask = kinds[random.integers(len(kinds))](size, random)
    if random.random() < _SOFT:
        mask = gaussian_filter(mask, max(size) * random.uniform(*_EDGE))
        mask /= max(float(mask.max()), _FAINT)
    return mask[..., None]


def _box(size: tuple[int, ...], random: Random) -> np.ndarray:
    """Return a box of 3 positions to half the size."""
    mask = np.zeros(size, "float32")
    sides = [random.integers(min(3, n), max(n // 2, min(3, n)) + 1) for n in size]
    corner = [random.integers(0, n - side + 1) for n, side in zip(size, sides, strict=True)]
    mask[tuple(slice(a, a + side) for a, side in zip(corner, sides, strict=True))] = 1
    return mask


def _blob(size: tuple[int, ...], random: Random) -> np.ndarray:
    """Return where smooth noise is highest, 3 to 25 % of the image."""
    noise = _noise(size, int(random.choice([2, 4, 8])), random)
    return (noise > np.quantile(noise, random.uniform(0.75, 0.97))).astype("float32")


def _line(size: tuple[int, ...], random: Random) -> np.ndarray:
    """Return a curved line of 1 to 5 pixels across, with soft edges."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    longest = max(size)
    angle, length = random.uniform(0, pi), random.uniform(0.2, 1) * longest
    rows, columns = rows - random.uniform(0, size[0]), columns - random.uniform(0, size[1])
    along = rows * np.sin(angle) + columns * np.cos(angle)
    bend = random.uniform(-3, 3) * np.sin(along / longest * random.uniform(2, 12))
    across = np.abs(columns * np.sin(angle) - rows * np.cos(angle) + bend)
    near = np.clip(random.uniform(1.0, 2.5) - across, 0, 1) * (np.abs(along) < length / 2)
    return near.astype("float32")


def _crack(size: tuple[int, ...], random: Random) -> np.ndarray:
    """Return a thin line of a changing direction, with up to three branches."""
    mask, steps = np.zeros(size, "float32"), int(max(size) * random.uniform(0.3, 1.2))
    starts = [(random.uniform(0, size, 2), random.uniform(0, 2 * pi))]
    for number in range(random.integers(1, 5)):
        steps = max(steps, 3)
        start, angle = starts[0 if number == 0 else random.integers(len(starts))]
        angles = angle + np.cumsum(random.normal(0, _TURN, steps))
        path = start + np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1), axis=0)
        rows, columns = np.rint(path).astype(int).T
        inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
        mask[rows[inside], columns[inside]] = 1
        starts = [
            (path[at], angles[at] + random.choice([-1, 1]) * random.uniform(0.4, 1.3))
            for at in random.integers(0, steps, 3)
        ]
        steps //= 2
    mask = gaussian_filter(mask, random.uniform(0.3, 0.8))
    return np.asarray(mask / max(float(mask.max()), _FAINT))


def _region(size: tuple[int, ...], random: Random) -> np.ndarray:
    """Return a band between two curves, or what lies beyond one, such as a part that is cut off."""
    rows, columns = np.mgrid[: size[0], : size[1]] / max(size)
    angle = random.uniform(0, 2 * pi)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    bend = random.uniform(0, 0.05) * np.sin(along * random.uniform(2, 12))
    beyond = across + bend - np.quantile(across, random.uniform(0.05, 0.95))
    return np.asarray((beyond > 0) & (beyond < random.uniform(0.05, 0.6)), "float32")


def _content(samples: np.ndarray, row: int, positions: int, random: Random) -> np.ndarray:
    """Return what a defect shows, (..., channels): a shift, a part of a sample, or noise."""
    one = samples[row]
    deviation = max(float(one.std()), 1e-6)
    kind = random.integers(3)
    if kind == 0:  # cracks and dirt are dark more often than bright
        return one + random.choice([-1, -1, 1]) * random.uniform(0.5, 3) * deviation
    if kind == 1:
        other = samples[random.integers(len(samples))]
        axes = range(other.ndim - 1 - positions, other.ndim - 1) if positions else (other.ndim - 1,)
        return np.roll(other, [random.integers(other.shape[axis]) for axis in axes], tuple(axes))
    level = one.mean() + random.uniform(-2, 1) * deviation
    spread = deviation * random.uniform(0.5, 1.5)
    if positions == 0:
        return level + spread * random.standard_normal(one.shape)
    size = one.shape[-1 - positions : -1]
    texture = _noise(size, int(random.choice([4, 8, 16, 32])), random)
    return level + spread * texture[..., None]


def _noise(size: tuple[int, ...], cells: int, random: Random) -> np.ndarray:
    """Return smooth noise of a deviation near 1, from a grid of so many cells a side."""
    counts = [min(cells + 1, n) for n in size]
    grid = random.standard_normal(counts)
    return zoom(grid, [n / count for n, count in zip(size, counts, strict=True)], order=1)
