"""What made-up heads predict: at first anything, in the end nearly the truth."""

import numpy as np

from ed_viewer.example.pictures import CLASSES, PARTS, glyph

_MAPS = 8  # samples of which every pixel is predicted
_DRAWS = 40  # samples that are drawn


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
        self._speckle = random.random(reference["mask"][:_MAPS].shape)
        self._other = random.integers(0, len(PARTS), self._speckle.shape)
        self._turns = random.normal(0, 0.35, _DRAWS)
        self._grain = random.random((_DRAWS, *size))

    def predictions(self, done: float) -> dict[str, dict[str, np.ndarray]]:
        """Return the arrays of the three heads, by probe; `done` goes from 0 to 1."""
        truth = self._reference
        scores = 5 * done * np.eye(len(CLASSES))[truth["label"]] + 1.4 * self._doubt
        likely = np.exp(scores)
        angle = truth["angle"] * done + self._error * (3 + 12 * (1 - done))
        mask = np.maximum(truth["mask"][:_MAPS], 0)
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
