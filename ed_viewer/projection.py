"""Codes to two dimensions, steady from frame to frame. Numpy only."""

from dataclasses import dataclass

import numpy as np

Window = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Points in two dimensions.

    Attributes:
        points: (samples, 2).
        titles: what the two axes are.
    """

    points: np.ndarray
    titles: tuple[str, str]


def project(codes: np.ndarray, before: Axes | None = None) -> Axes:
    """Return two dimensions as they are, or the first two principal axes of more.

    The sign of a principal axis is free. It is chosen such that the same samples stay on the same
    side as in `before`, and without it such that the largest loading is positive.

    Args:
        codes: (samples, latent), finite.
        before: what the frame drawn last looked like.
    """
    latent = codes.shape[1]
    if latent == 1:
        return Axes(np.column_stack((codes[:, 0], np.arange(len(codes)))), ("code 1", "sample"))
    if latent == 2:
        return Axes(codes, ("code 1", "code 2"))
    centred = codes - codes.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.pad(axes, ((0, max(2 - len(axes), 0)), (0, 0)))[:2]
    largest = np.abs(axes).argmax(axis=1)
    signs = np.where(axes[[0, 1], largest] < 0, -1.0, 1.0)
    points = centred @ axes.T * signs
    if before is not None and before.points.shape == points.shape:
        agreement = (points * before.points).sum(axis=0)
        points = points * np.where(agreement < 0, -1.0, 1.0)
    return Axes(points, ("principal axis 1", "principal axis 2"))


def window_of(points: np.ndarray, before: Window | None) -> Window:
    """Return x and y limits around the points; `before`, as long as it suits them.

    Limits that change with every frame would hide that the points move.
    """
    if not len(points):
        return before or (-1.0, 1.0, -1.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    if before is not None:
        inner, outer = np.array(before[::2]), np.array(before[1::2])
        inside = (low >= inner).all() and (high <= outer).all()
        if inside and ((high - low) > 0.35 * (outer - inner)).all():
            return before
    margin = np.maximum(0.15 * (high - low), 1e-3)
    left, down = (low - margin).tolist()
    right, up = (high + margin).tolist()
    return left, right, down, up
