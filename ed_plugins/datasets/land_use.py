"""Generated terrain with photograph, elevation and land use."""

import numpy as np

from ed_core import Dataset, Field, Fields, content_generator, dataset
from ed_plugins.datasets._options import check_least

PIXEL = 0.03  # km a pixel
TREE_LINE = 1.5  # km
STEEP = 0.6  # rise over run, above which nothing grows
# Name, colour on a map, colour in the sun. A meadow looks the same on either side of the tree line,
# a settlement looks like bare rock, and water looks like rock in the shade.
CLASSES = (
    ("water", "#0072b2", (0.14, 0.15, 0.18)),
    ("settlement", "#d55e00", (0.50, 0.48, 0.45)),
    ("meadow", "#f0e442", (0.42, 0.55, 0.25)),
    ("forest", "#00563a", (0.15, 0.30, 0.14)),
    ("alpine meadow", "#eebedd", (0.42, 0.55, 0.25)),
    ("rock", "#8c8c8c", (0.50, 0.48, 0.45)),
)
WATER, SETTLEMENT, MEADOW, FOREST, ALPINE, ROCK = range(len(CLASSES))
_SUN = np.array([0.6, 0.6, 0.53])  # towards the sun, in the north-west: north, west, up
_SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}


@dataset
def land_use(*, samples: int = 400, size: int = 64, seed: int = 0) -> Dataset:
    """Generated terrain: a sunlit photograph, its elevation in km, and six classes of land use.

    Colour alone cannot tell meadow from alpine meadow (above 1.5 km), settlement from bare rock
    (steep), or water (level) from rock in the shade; elevation alone knows no forest from meadow.

    Args:
        samples: of all splits: 70 % train, 15 % validation, 15 % test.
        size: of an image, in pixels of 30 m.
        seed: of the terrain.
    """
    check_least(8, samples=samples, size=size)
    names, colours, _ = zip(*CLASSES, strict=True)
    fields = Fields(
        image=Field((size, size, 3)),
        elevation=Field((size, size, 1), "value", unit="km"),
        mask=Field((size, size), "class", names, colours),
    )
    counts = {split: round(share * samples) for split, share in _SHARES.items()}
    counts["train"] += samples - sum(counts.values())
    splits = {
        split: _terrain(content_generator(seed, number), count, size)
        for number, (split, count) in enumerate(counts.items())
    }
    return Dataset(fields, splits)


def _terrain(random: np.random.Generator, count: int, size: int) -> dict[str, np.ndarray]:
    """Return `image` (count, size, size, 3), `elevation` (..., 1) in km, `mask` (...)."""
    shape = (count, size, size)
    base = random.uniform(0.6, 2.1, (count, 1, 1))
    height = base + random.uniform(0.04, 0.24, (count, 1, 1)) * smooth_noise(random, shape, 3.5)
    water = random.uniform(-0.1, 0.3, count).clip(0)  # share of each image
    level = np.stack([np.quantile(*pair) for pair in zip(height, water, strict=True)])
    height = np.maximum(height, level[:, None, None])
    down = np.stack(np.gradient(height, PIXEL, axis=(1, 2)), axis=-1)  # to the south, to the east
    slope = np.linalg.norm(down, axis=-1)

    trees, bare = smooth_noise(random, shape, 3.0), smooth_noise(random, shape, 3.0)
    low = height < TREE_LINE
    mask = np.where(low, np.where(trees > 0, FOREST, MEADOW), ALPINE)
    mask[bare > 0.8] = ROCK
    mask[(bare > 0.8) & low] = SETTLEMENT
    mask[slope > STEEP] = ROCK
    mask[height == level[:, None, None]] = WATER
    return {
        "image": _photograph(random, mask, down),
        "elevation": height[..., None].astype("float32"),
        "mask": mask.astype("uint8"),
    }


def smooth_noise(
    random: np.random.Generator, shape: tuple[int, int, int], exponent: float
) -> np.ndarray:
    """Return random fields (count, height, width), each of mean 0 and deviation 1.

    White noise, its amplitudes divided by (f^2 + f0^2)^(exponent / 2) for the frequency f, with
    f0 = 1/64 a pixel: the larger the exponent, the smoother.
    """
    rows, columns = np.fft.fftfreq(shape[1]), np.fft.rfftfreq(shape[2])
    power = rows[:, None] ** 2 + columns**2 + 64.0**-2
    spectrum = np.fft.rfft2(random.standard_normal(shape)) * power ** (-exponent / 2)
    field = np.fft.irfft2(spectrum, shape[1:])
    field -= field.mean(axis=(1, 2), keepdims=True)
    return field / field.std(axis=(1, 2), keepdims=True)


def _photograph(random: np.random.Generator, mask: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return the image (count, height, width, 3) of the land in the sun, under a blue sky.

    Args:
        random: for the texture and each image's exposure.
        mask: (count, height, width) the class of each pixel.
        down: (count, height, width, 2) the rise to the south and to the east.
    """
    colour = np.array([colour for _, _, colour in CLASSES])[mask]
    facing = (_SUN[2] + down @ _SUN[:2]) / np.sqrt(1 + np.sum(down**2, axis=-1))  # cos of the angle
    sun = facing.clip(0)[..., None] / _SUN[2]
    sky = np.array([0.28, 0.30, 0.36])
    dry = 0.06 * smooth_noise(random, mask.shape, 1.5)[..., None] * np.array([1, 0.3, -0.3])
    grain = random.normal(1, 0.08, mask.shape)[..., None]
    exposure = random.uniform(0.85, 1.15, (len(mask), 1, 1, 1))
    image = (colour + dry * colour) * (sky + (1 - sky) * sun) * grain * exposure
    return image.clip(0, 1).astype("float32")
