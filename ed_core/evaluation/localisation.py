"""Measures of maps of defects: pixel AUROC and AUPRO."""

import numpy as np
from scipy.ndimage import label
from sklearn.metrics import roc_auc_score

MOST = 0.3
"""Share of normal pixels above the threshold up to which AUPRO is integrated."""
_THRESHOLDS = 1000  # at which the overlap is looked at
_EIGHT = np.ones((3, 3))  # pixels that touch at a corner belong to one region


def pixel_auroc(maps: np.ndarray, masks: np.ndarray) -> float:
    """Return the area under the ROC curve of single pixels.

    Args:
        maps: (samples, height, width), higher where it is odd.
        masks: in the same shape, true where it is odd; both kinds of pixels are needed.
    """
    return float(roc_auc_score(masks.ravel(), maps.ravel()))


def per_region_overlap(maps: np.ndarray, masks: np.ndarray, most: float = MOST) -> float:
    """Return the area under the per-region overlap, over false alarms up to `most`, in 0..1.

    At each threshold the overlap is the mean, over the connected regions of the masks, of the share
    of a region that lies above it: small defects count as much as large ones. It is integrated over
    the share of normal pixels above the threshold, 0 to `most`, and divided by `most` (AUPRO;
    Bergmann et al., 2021, section 5.2).

    Args:
        maps: (samples, height, width), higher where it is odd.
        masks: in the same shape, true where it is odd; both kinds of pixels are needed.
        most: the largest share of false alarms.
    """
    normal = np.sort(maps[~masks])
    ranks = np.ceil(len(normal) * (1 - np.linspace(0, most, _THRESHOLDS))).astype(int) - 1
    thresholds = normal[np.clip(ranks, 0, len(normal) - 1)]
    lower = normal[: np.searchsorted(normal, thresholds[-1])][-1:]  # the first one beyond `most`
    distinct = np.unique(np.concatenate([thresholds, lower, normal[:1]]))
    # Just below each one as well: there equal normal pixels count, and no odd one below them yet.
    thresholds = np.sort(np.append(distinct, np.nextafter(distinct, -np.inf)))[::-1]
    overlaps = []
    for values, mask in zip(maps, masks, strict=True):
        regions, count = label(mask, _EIGHT)
        for number in range(1, count + 1):
            overlaps.append(_above(np.sort(values[regions == number]), thresholds))
    rates, overlap = _above(normal, thresholds), np.mean(overlaps, axis=0)
    at = np.append(rates[rates < most], most)
    inside = np.append(overlap[rates < most], np.interp(most, rates, overlap))
    return float(np.trapezoid(inside, at) / most)


def _above(ordered: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return which share of some values lies above each threshold."""
    return np.asarray(1 - np.searchsorted(ordered, thresholds, side="right") / len(ordered))
