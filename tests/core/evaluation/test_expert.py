"""The floor of an expert: a PCA of standardised images, against scikit-learn's."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.decomposition import PCA

from ed_core import Field
from ed_core.evaluation.expert import fit_expert, mirrored, standardised

pytestmark = [pytest.mark.backend, pytest.mark.once]

FIELD = Field((8, 10, 1))


def images(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    basis = np.random.default_rng(9).random((40, 8, 10, 1))
    return np.einsum("nk,khwc->nhwc", random.random((count, 40)) ** 3, basis).astype("float32")


def test_it_is_the_pca_of_standardised_and_mirrored_images() -> None:
    train, test = images(60), images(5, 1)
    expert = fit_expert(train, None, FIELD)
    assert (len(expert.linear.axes), expert.flipped) == (80, True)
    expert = fit_expert(train, images(30, 2), FIELD)
    count = len(expert.linear.axes)
    pca = PCA(count, svd_solver="full")
    flat = standardised(train)
    pca.fit((mirrored(flat) if expert.flipped else flat).reshape(-1, 80))
    one = standardised(test).reshape(5, 80)
    left = (one - pca.inverse_transform(pca.transform(one))).reshape(5, 8, 10)
    expected = np.square(gaussian_filter(left, (0, 2, 2))).sum(axis=(1, 2))
    assert expert.scores(test) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_what_is_kept_aside_chooses_between_components_and_mirrors() -> None:
    """Images that are never mirrored lie in fewer dimensions than with their mirror images."""
    ramp = np.linspace(0, 1, 10, dtype="float32")[None, None, :, None]
    random = np.random.default_rng(0)
    train = ramp ** (1 + random.random((200, 1, 1, 1))) * np.ones((1, 8, 1, 1), "float32")
    expert = fit_expert(train[:100].astype("float32"), train[100:].astype("float32"), FIELD)
    assert expert.words.split()[0] in ("32", "80", "100")
    odd = train[100:, :, ::-1]
    if not expert.flipped:
        assert expert.scores(odd).min() > expert.scores(train[100:]).max()


def test_signals_have_one_too() -> None:
    random = np.random.default_rng(0)
    waves = np.sin(np.linspace(0, 9, 50) + random.random((80, 1)))[..., None].astype("float32")
    expert = fit_expert(waves[:60], waves[60:], Field((50, 1), "signal"))
    odd = waves[60:].copy()
    odd[:, 20:30] = 0
    assert expert.scores(odd).min() > expert.scores(waves[60:]).max()
