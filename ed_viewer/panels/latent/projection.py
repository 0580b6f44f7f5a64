"""Projection of codes to two dimensions, steady between frames, and its inverse. No Qt here."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from ed_core.principal_plane import principal_plane


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Points in two dimensions: codes @ directions.T + offset, where there are directions.

    Attributes:
        points: (samples, 2).
        titles: what the two axes are.
        directions: (2, latent) of length 1 or 0; None where there is no way back, as with t-SNE.
        offset: (2,).
    """

    points: np.ndarray
    titles: tuple[str, str]
    directions: np.ndarray | None = None
    offset: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def place(self, codes: np.ndarray) -> np.ndarray:
        """Return the points (..., 2) of codes (..., latent); NaN if there are no directions."""
        if self.directions is None:
            return np.full((*codes.shape[:-1], 2), np.nan)
        placed: np.ndarray = codes @ self.directions.T + self.offset
        return placed

    def moved(self, code: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Return the code (latent,) nearest to `code` that lies at a point (2,)."""
        if self.directions is None:
            return code
        result: np.ndarray = code + (np.asarray(point) - self.place(code)) @ self.directions
        return result


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
        points = np.column_stack((codes[:, 0], np.arange(len(codes))))
        middle = np.array([0.0, (len(codes) - 1) / 2])
        return Axes(points, ("code 1", "sample"), np.array([[1.0], [0.0]]), middle)
    if latent == 2:
        return units(codes, (0, 1))
    # In this thread alone: beside a busy process, such as a decoder that starts, the library's
    # threads wait for each other for 100 ms.
    with _libraries().limit(limits=1, user_api="blas"):
        mean, axes, _ = principal_plane(codes)
    points = (codes - mean) @ axes.T
    if before is not None and before.points.shape == points.shape:
        signs = np.where((points * before.points).sum(axis=0) < 0, -1.0, 1.0)
        axes, points = axes * signs[:, None], points * signs
    return Axes(points, ("PC 1", "PC 2"), axes, -(axes @ mean))


def units(codes: np.ndarray, chosen: tuple[int, int]) -> Axes:
    """Return two dimensions of codes (samples, latent) as they are."""
    first, second = chosen
    directions = np.zeros((2, codes.shape[1]))
    directions[[0, 1], chosen] = 1.0
    if first == second:  # else moving would count the one dimension twice
        directions[1] = 0.0
    titles = (f"code {first + 1}", f"code {second + 1}")
    return Axes(codes[:, list(chosen)], titles, directions)


@cache
def _libraries() -> ThreadpoolController:
    """Return what limits their threads: to find them takes longer than the axes."""
    return ThreadpoolController()
