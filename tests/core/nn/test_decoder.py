"""Which part of a model decodes a code alone, or with a class."""

import numpy as np
import pytest

from ed_core import DATASETS, MODELS, EdkitError
from ed_core.nn.decoder import find_decoder
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.rebuilding import build

pytestmark = pytest.mark.backend


def made(model: str, data: str | None = None, **options: object) -> tuple:
    spec = MODELS[model]
    fields = DATASETS[data or spec.data].load().fields
    return build(spec, fields, options), fields


def test_a_decoder_of_codes_alone() -> None:
    net, fields = made("dense_autoencoder", hidden=(8,), latent=3)
    decoder = find_decoder(net, fields)
    codes = np.random.default_rng(0).normal(size=(4, 3))
    assert (decoder.shape, decoder.label, decoder.classes) == ((3,), "", ())
    expected = net.get_layer("decoder").predict_on_batch({"code": codes.astype("f4")})["image"]
    np.testing.assert_allclose(decoder(codes), expected, atol=1e-6)


def test_a_conditional_decoder_is_told_the_class() -> None:
    net, fields = made("conditional_vae", hidden=(8,))
    decoder = find_decoder(net, fields)
    assert decoder.label == "label"
    assert decoder.classes == fields["label"].classes
    code = np.zeros((1, 2))
    assert not np.allclose(decoder(code, 1), decoder(code, 7))
    both = decoder(np.zeros((2, 2)), np.array([1, 7]))
    np.testing.assert_allclose(
        both, np.concatenate([decoder(code, 1), decoder(code, 7)]), atol=1e-6
    )


def test_a_code_with_more_axes_may_come_flat() -> None:
    net, fields = made("conv_autoencoder", filters=(4, 2))
    decoder = find_decoder(net, fields)
    codes = np.random.default_rng(0).normal(size=(2, *decoder.shape))
    np.testing.assert_allclose(decoder(codes.reshape(2, -1)), decoder(codes), atol=1e-6)


def test_a_generator_decodes_as_well() -> None:
    net, fields = made("gan")
    assert find_decoder(net, fields)(np.zeros((1, *find_decoder(net, fields).shape))).ndim == 4


@pytest.mark.parametrize("model", ["siamese", "unet"])
def test_a_model_that_decodes_no_code_says_why(model: str) -> None:
    fields = Fields(
        image=Field((16, 16, 3)),
        label=Field((), "class", ("a", "b")),
        mask=Field((16, 16), "class", ("a", "b")),
    )
    net = build(MODELS[model], fields, {})
    with pytest.raises(EdkitError, match=r"decoder|takes (no|more)"):
        find_decoder(net, fields)
