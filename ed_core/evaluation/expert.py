"""Floor of anomaly detection: a PCA as an expert would have it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from ed_core.data.defects import pasted
from ed_core.data.lazy import at_a_time
from ed_core.evaluation.baselines import PrincipalComponents, principal_components
from ed_core.plugins.spec import Field
from ed_core.runs.detector import positions_of
from ed_core.seeds import Seeds

COUNTS = (32, 100)  # components, of which validation chooses
SIGMA = 2.0  # positions by which the residual is smoothed before it is squared
_ROWS, _BYTES = 2000, 256 * 2**20  # training samples, and bytes with their mirrored ones, at most
_FEWEST = 10
_JUDGED = 500  # normal samples, and as many with defects, on which it is chosen


@dataclass(frozen=True)
class Expert:
    """PCA of samples standardised one by one; their residual is smoothed before it is squared.

    Args:
        linear: the components.
        positions: axes before the channels that have neighbours.
        flipped: whether it was fitted on the mirrored samples as well.
    """

    linear: PrincipalComponents
    positions: int
    flipped: bool

    @property
    def words(self) -> str:
        """What it is, for people."""
        mirrored = ", mirrored samples added" if self.flipped else ""
        return f"{len(self.linear.axes)} components{mirrored}"

    def maps(self, samples: Any) -> Iterator[np.ndarray]:
        """Yield the maps of some samples at a time, (samples, ...), channels summed."""
        step = at_a_time({"samples": samples}, ["samples"])
        for first in range(0, len(samples), step):
            part = standardised(np.asarray(samples[first : first + step]))
            left = part - self.linear.restore(part)
            free = left.ndim - 1 - self.positions
            sigmas = (*(0.0,) * free, *(SIGMA,) * self.positions, 0.0)
            yield np.square(gaussian_filter(left, sigmas)).sum(axis=-1)

    def scores(self, samples: Any) -> np.ndarray:
        """Return the sum of the map of each sample, (samples,)."""
        return np.concatenate(
            [part.reshape(len(part), -1).sum(axis=1) for part in self.maps(samples)]
        )


def fit_expert(train: Any, held: Any, field: Field) -> Expert:
    """Return the PCA, its components and mirrored samples chosen on samples kept aside.

    Chosen is what best tells these from the same ones with synthetic defects (`ed_core.defects`);
    without any it has 100 components, of images with mirrored ones. It is fitted on at most 2,000
    training samples, fewer of large images: 250 of 180 x 180.

    Args:
        train: (samples, ...), or anything that slices like it.
        held: normal samples kept aside, or None.
        field: of the samples.
    """
    count = min(len(train), _ROWS, max(_BYTES // (4 * 8 * prod(field.shape)), _FEWEST))
    rows = np.unique(np.linspace(0, len(train) - 1, count).astype(int))
    samples = standardised(np.asarray(train[rows]))
    positions = positions_of(field)
    fits = []
    for flipped in (True, False) if field.kind == "image" else (False,):
        linear = principal_components(mirrored(samples) if flipped else samples, COUNTS[-1])
        fits += [
            Expert(replace(linear, axes=linear.axes[:number]), positions, flipped)
            for number in sorted(COUNTS, reverse=True)
        ]
    if held is None or len(fits) == 1:
        return fits[0]
    some = np.asarray(held[:_JUDGED])
    random = Seeds(0).generator("defects")
    odd = pasted(some, random, positions=positions)[0]
    truth = np.repeat([0, 1], len(some))
    areas = [
        roc_auc_score(truth, np.concatenate([fit.scores(some), fit.scores(odd)])) for fit in fits
    ]
    return fits[int(np.argmax(areas))]


def standardised(samples: np.ndarray) -> np.ndarray:
    """Return samples less their mean and divided by their deviation, one by one, float64."""
    axes = tuple(range(1, samples.ndim))
    centred = samples - samples.mean(axis=axes, keepdims=True, dtype="float64")
    deviation = centred.std(axis=axes, keepdims=True)
    return np.asarray(centred / np.where(deviation > 0, deviation, 1.0))


def mirrored(images: np.ndarray) -> np.ndarray:
    """Return images (samples, height, width, channels) with those mirrored along each side."""
    return np.concatenate([images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]])
