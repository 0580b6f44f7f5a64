"""What each probe records of a model whose numbers are known."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from ed_core import (
    Activations,
    EdkitError,
    LatentCodes,
    LatentScan,
    Predictions,
    Reconstruction,
    Samples,
    Sampling,
)
from ed_core.probes import half, scan
from ed_core.seeds import Seeds

pytestmark = pytest.mark.backend

RNG = np.random.default_rng(0)
BATCH = {
    "image": RNG.uniform(size=(20, 8, 8, 1)).astype("float32"),
    "label": RNG.integers(0, 3, 20),
}


@pytest.fixture(scope="module")
def net() -> keras.Model:
    return build(posterior=False)


def build(posterior: bool, latent: int = 3) -> keras.Model:
    image = keras.Input((8, 8, 1), name="image")
    maps = layers.Conv2D(4, 3, strides=2, padding="same", name="conv")(image)
    mean = layers.Dense(latent, name="mean")(layers.Flatten()(maps))
    outputs = {"code": mean}
    if posterior:
        log_var = layers.Dense(latent, name="log_var")(layers.Flatten()(maps))
        outputs = {
            "code": Sampling()([mean, log_var]),
            "posterior": ops.stack([mean, log_var], axis=1),
        }
    encoder = keras.Model({"image": image}, outputs, name="encoder")
    code = keras.Input((latent,), name="code")
    back = layers.Dense(64, activation="sigmoid", name="back")(code)
    decoder = keras.Model(
        {"code": code}, {"image": layers.Reshape((8, 8, 1))(back)}, name="decoder"
    )
    coded = encoder({"image": image})
    label = layers.Dense(3, activation="softmax", name="label")(coded["code"])
    return keras.Model({"image": image}, {**decoder({"code": coded["code"]}), "label": label})


def predicted(model: Any, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    return dict(model.predict(inputs, verbose=0))


def test_reconstruction(net: keras.Model) -> None:
    probe = Reconstruction("image", samples=5)
    frame = probe.bind(net)(BATCH)
    expected = predicted(net, image=BATCH["image"][:5])["image"]
    np.testing.assert_allclose(frame["output"], expected, atol=1e-3)
    assert frame["output"].dtype == "float16"
    assert probe.axes("output", 4) == ("sample", "height", "width", "channel")
    assert probe.options({}) == {"field": "image", "samples": 5}
    assert (probe.kind, probe.name) == ("reconstruction", "reconstruction")
    assert Reconstruction("elevation").name == "reconstruction elevation"


def test_reconstruction_of_an_output_that_is_not_there(net: keras.Model) -> None:
    with pytest.raises(EdkitError, match=r"Reconstruction\('depth'\): the model's outputs are \["):
        Reconstruction("depth").bind(net)(BATCH)


def test_activations_of_layers_and_submodels(net: keras.Model) -> None:
    probe = Activations("encoder", "decoder/back", "label", samples=6, channels=3)
    frame = probe.bind(net)(BATCH)
    encoder = net.get_layer("encoder")
    assert {name: array.shape for name, array in frame.items()} == {
        "encoder/conv": (6, 4, 4, 3),
        "encoder/mean": (6, 3),
        "decoder/back": (6, 3),
        "label": (6, 3),
    }
    assert {array.dtype.str for array in frame.values()} == {"<f2"}
    code = predicted(encoder, image=BATCH["image"][:6])["code"]
    np.testing.assert_allclose(frame["encoder/mean"], code, atol=2e-3, rtol=1e-2)
    pixels = predicted(net.get_layer("decoder"), code=code)["image"].reshape(6, 64)[:, :3]
    np.testing.assert_allclose(frame["decoder/back"], pixels, atol=1e-3)
    assert probe.axes("encoder/conv", 4) == ("sample", "height", "width", "channel")
    assert probe.axes("encoder/mean", 2) == ("sample", "unit")
    assert probe.axes("video", 5) == ("sample", "time", "height", "width", "channel")
    assert probe.options({"label": {"kind": "class"}, "im": {"kind": "image"}})["field"] == "im"
    layers = {name: name.rpartition("/")[::2] for name in frame}
    parts = {name: net.get_layer(part) if part else net for name, (part, _) in layers.items()}
    sizes = {name: parts[name].get_layer(layer).output.shape for name, (_, layer) in layers.items()}
    assert probe.model_options(net) == {"of": {name: size[-1] for name, size in sizes.items()}}


def test_activations_of_a_layer_that_is_not_there(net: keras.Model) -> None:
    with pytest.raises(EdkitError, match="no layer 'encoder/cnv': 'encoder' has image, conv"):
        Activations("encoder/cnv").bind(net)
    with pytest.raises(EdkitError, match="no layer 'nowhere'"):
        Activations("nowhere").bind(net)


def test_latent_codes(net: keras.Model) -> None:
    probe = LatentCodes(samples=7)
    frame = probe.bind(net)(BATCH)
    expected = predicted(net.get_layer("encoder"), image=BATCH["image"][:7])["code"]
    np.testing.assert_allclose(frame["codes"], expected, rtol=1e-4, atol=1e-6)
    assert frame["codes"].dtype == "float32"
    assert probe.axes("codes", 2) == ("sample", "latent")
    assert probe.options(BATCH) == {"label": "label"}
    assert probe.options({"image": 0}) == {"label": None}


@pytest.mark.parametrize("posterior", [False, True])
def test_latent_scan(posterior: bool) -> None:
    net = build(posterior)
    probe = LatentScan("decoder", dimensions=(2, 0), steps=5)
    frame = probe.bind(net)(BATCH)
    codes = predicted(net.get_layer("encoder"), image=BATCH["image"])["code"]
    centre = np.zeros(3) if posterior else codes.mean(axis=0)
    if posterior:
        expected = np.array([-1.644854, -0.597760, 0.0, 0.597760, 1.644854])
        np.testing.assert_allclose(frame["x"], expected, atol=1e-5)
        np.testing.assert_allclose(frame["y"], expected, atol=1e-5)
    else:
        for name, dimension in (("x", 2), ("y", 0)):
            ends = np.quantile(codes[:, dimension], (0.05, 0.95))
            np.testing.assert_allclose(frame[name], np.linspace(*ends, 5), rtol=1e-4)
    for row in range(5):
        code = np.tile(centre, (5, 1)).astype("float32")
        code[:, 2], code[:, 0] = frame["x"], frame["y"][4 - row]  # y points upwards
        image = predicted(net.get_layer("decoder"), code=code)["image"]
        np.testing.assert_allclose(frame["grid"][row], image, atol=1e-3)
    assert probe.axes("grid", 5) == ("row", "column", "height", "width", "channel")
    assert probe.axes("x", 1) == ("column",)
    assert probe.axes("y", 1) == ("row",)
    assert probe.options({}) == {"dimensions": [2, 0]}


def test_latent_scan_of_too_few_dimensions() -> None:
    with pytest.raises(EdkitError, match=r"LatentScan\(0, 3\): the code has 3 dimensions"):
        LatentScan("decoder", dimensions=(0, 3)).bind(build(False))(BATCH)


def test_scan_is_a_grid_around_its_centre() -> None:
    codes = scan(np.array([9.0, 8.0, 7.0]), (0, 2), np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert codes.tolist() == [[1, 8, 4], [2, 8, 4], [1, 8, 3], [2, 8, 3]]
    assert codes.dtype == "float32"


@pytest.mark.parametrize("probe", [LatentCodes(), LatentScan("decoder"), Activations("encoder")])
def test_model_without_submodels(probe: Any) -> None:
    x = keras.Input((8, 8, 1), name="image")
    plain = keras.Model(x, layers.Conv2D(1, 3, name="only")(x))
    with pytest.raises(EdkitError, match=r"no layer '(encoder|decoder)': .* has image, only"):
        probe.bind(plain)
    with pytest.raises(EdkitError, match="'only' is a layer, not a model of its own"):
        LatentCodes("only").bind(plain)


def test_sampling_is_not_recorded() -> None:
    """Probes look at the model as it predicts: twice the same, and no generator moves."""
    net = build(True)
    read = LatentCodes().bind(net)
    states = [np.array(ops.convert_to_numpy(v)) for v in net.non_trainable_variables]
    np.testing.assert_array_equal(read(BATCH)["codes"], read(BATCH)["codes"])
    after = [np.array(ops.convert_to_numpy(v)) for v in net.non_trainable_variables]
    assert all(np.array_equal(a, b) for a, b in zip(states, after, strict=True))


@pytest.mark.parametrize(
    ("offset", "swing", "kind"),
    [
        (0.5, 0.5, "f2"),
        (127.0, 127.0, "f2"),
        (1013.0, 0.2, "f4"),
        (250e3, 20e3, "f4"),
        (0, 0, "f4"),
    ],
)
def test_the_type_of_outputs_keeps_the_digits_of_their_field(
    offset: float, swing: float, kind: str
) -> None:
    x = keras.Input((64,), name="x")
    net = keras.Model(x, {"x": layers.Activation("linear")(x)})
    values = (offset + swing * np.sin(np.arange(640) / 9)).astype("f4").reshape(10, 64)
    output = Reconstruction("x").bind(net)({"x": values})["output"]
    assert output.dtype.str == f"<{kind}"
    assert np.abs(output - values).max() <= swing / 100
    assert half(np.array([1.0, 1e30, np.inf, np.nan], "f4")).dtype == "float32"
    assert half(np.array([1.0, -65504, np.inf, np.nan], "f4")).dtype == "float16"
    assert half(np.array([1e-6, 0.0], "f4")).dtype == "float32"


def test_a_field_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr("ed_core.probes.base._keeps_digits", lambda field: looked.append(1) or True)
    x = keras.Input((4,), name="x")
    read = Reconstruction("x").bind(keras.Model(x, {"x": layers.Activation("linear")(x)}))
    for _ in range(3):
        read({"x": np.ones((2, 4), "f4")})
    assert looked == [1]


def test_latent_scan_of_a_code_of_one_number_is_a_row() -> None:
    for posterior in (False, True):
        model = build(posterior, latent=1)
        probe = LatentScan(steps=5)
        frame = probe.bind(model)(BATCH)
        assert frame["grid"].shape == (1, 5, 8, 8, 1)
        assert frame["y"].tolist() == [0]
        decoded = predicted(model.get_layer("decoder"), code=frame["x"][:, None])["image"]
        np.testing.assert_allclose(frame["grid"][0], decoded, atol=2e-3)


def test_predictions_of_classes_values_and_maps() -> None:
    image = keras.Input((8, 8, 1), name="image")
    maps = layers.Conv2D(3, 1, activation="softmax")(image)
    angle = layers.Dense(1)(layers.Flatten()(image))[:, 0]
    label = layers.Dense(4, activation="softmax")(layers.Flatten()(image))
    net = keras.Model({"image": image}, {"mask": maps, "angle": angle, "label": label})
    out = predicted(net, image=BATCH["image"][:6])
    read = {name: Predictions(name, samples=6).bind(net)(BATCH) for name in out}
    assert np.array_equal(read["mask"]["classes"], out["mask"].argmax(-1))
    np.testing.assert_allclose(read["angle"]["values"], out["angle"], atol=2e-3)
    np.testing.assert_allclose(read["label"]["probabilities"], out["label"], atol=2e-3)
    assert Predictions("angle").axes("values", 1) == ("sample",)
    assert Predictions("mask").axes("classes", 3) == ("sample", "height", "width")
    assert Predictions("label").options({"label": {}}) == {"output": "label", "target": "label"}
    with pytest.raises(EdkitError, match=r"the model's outputs are \['angle', 'label', 'mask'\]"):
        Predictions("depth").bind(net)(BATCH)


def test_samples_are_of_the_same_noise_a_row_for_each_class() -> None:
    code, label = keras.Input((2,), name="code"), keras.Input((), name="label", dtype="int32")
    pixels = layers.Dense(4)(layers.Concatenate()([code, layers.Embedding(3, 2)(label)]))
    decoder = keras.Model(
        {"code": code, "label": label}, {"image": layers.Reshape((2, 2, 1))(pixels)}, name="decoder"
    )
    net = keras.Model(decoder.input, decoder(decoder.input))
    probe = Samples(samples=6, seed=3)
    read = probe.bind(net)
    frame = read(BATCH)
    first, again = frame["images"], read({"label": BATCH["label"][:20]})["images"]
    assert np.array_equal(first, again)
    assert frame["classes"].tolist() == [0, 0, 1, 1, 2, 2]
    assert probe.axes("classes", 1) == ("sample",)
    assert probe.options({"label": {}}) == {"label": "label"}
    noise = Seeds(3).generator("samples").standard_normal((6, 2), "float32")
    classes = np.array([0, 0, 1, 1, 2, 2], "int32")
    expected = predicted(decoder, code=noise, label=classes)["image"]
    np.testing.assert_allclose(first, expected, atol=2e-3, rtol=2e-3)


def test_codes_of_an_encoder_that_returns_a_list_are_chosen_by_name() -> None:
    image = keras.Input((8, 8, 1), name="image")
    flat = layers.Flatten()(image)
    parts = [layers.Dense(2, name="mean")(flat), layers.Dense(2, name="spread")(flat)]
    encoder = keras.Model(image, parts, name="encoder")
    net = keras.Model(image, encoder(image)[0])
    codes = LatentCodes(samples=7, output="spread").bind(net)(BATCH)["codes"]
    expected = encoder.predict(BATCH["image"][:7], verbose=0)[1]
    np.testing.assert_allclose(codes, expected, atol=1e-5)
    with pytest.raises(
        EdkitError, match=r"'encoder' are \['mean', 'spread'\], none is named 'code'"
    ):
        LatentCodes().bind(net)(BATCH)


def two_outputs(picture: str = "picture", as_list: bool = True) -> keras.Model:
    image = keras.Input((8, 8, 1), name="image")
    hidden = layers.Dense(16)(layers.Flatten()(image))
    label = layers.Dense(3, activation="softmax", name="label")(hidden)
    pixels = layers.Reshape((8, 8, 1), name=picture)(layers.Dense(64)(hidden))
    return keras.Model(image, [label, pixels] if as_list else {"label": label, picture: pixels})


@pytest.mark.parametrize("as_list", [True, False])
def test_of_several_outputs_the_one_that_is_named_or_has_the_shape_of_the_field(
    as_list: bool,
) -> None:
    net = two_outputs(as_list=as_list)
    label, picture = (
        net.predict(BATCH["image"][:5], verbose=0)
        if as_list
        else (net.predict(BATCH["image"][:5], verbose=0)[name] for name in ("label", "picture"))
    )
    for probe in (Reconstruction("image", 5), Reconstruction("picture", 5, target="image")):
        np.testing.assert_allclose(probe.bind(net)(BATCH)["output"], picture, atol=2e-3)
    found = Predictions("label", samples=5).bind(net)(BATCH)["probabilities"]
    np.testing.assert_allclose(found, label, atol=1e-3)
    with pytest.raises(EdkitError, match=r"outputs are \['label', 'picture'\]; name one of them"):
        Reconstruction("depth").bind(net)(BATCH)
    both = keras.Model(net.input, [net.outputs[1], layers.Rescaling(2.0)(net.outputs[1])])
    with pytest.raises(EdkitError, match="name one of them"):
        Reconstruction("image").bind(both)(BATCH)


class Pair(keras.Model):
    """A subclassed model of parts that are Sequential, without a `call` of its own."""

    def __init__(self) -> None:
        super().__init__(name="pair")
        self.generator = keras.Sequential(
            [keras.Input((3,), name="noise"), layers.Dense(64), layers.Reshape((8, 8, 1))]
        )


def test_parts_of_a_model_without_call() -> None:
    net = Pair()
    images = Samples("generator", samples=4, seed=2).bind(net)(BATCH)["images"]
    noise = Seeds(2).generator("samples").standard_normal((4, 3), "float32")
    np.testing.assert_allclose(images, net.generator.predict(noise, verbose=0), atol=5e-3)
    grid = LatentScan("generator", steps=3).bind(net)(BATCH)
    codes = scan(np.zeros(3), (0, 1), grid["x"], grid["y"])
    wanted = net.generator.predict(codes, verbose=0).reshape(3, 3, 8, 8, 1)
    np.testing.assert_allclose(grid["grid"], wanted, atol=5e-3)
    with pytest.raises(EdkitError, match=r"'pair' cannot be called on 'image'.* `call"):
        Reconstruction("image").bind(net)(BATCH)


class Spread(keras.Model):
    """A subclassed decoder: nobody knows its inputs by name."""

    def __init__(self) -> None:
        super().__init__(name="decoder")
        self.dense = layers.Dense(64)

    def call(self, code: Any) -> Any:
        return ops.reshape(self.dense(code), (-1, 8, 8, 1))


def test_a_scan_of_a_subclassed_decoder() -> None:
    net = Pair()
    net.decoder = Spread()
    net.encoder = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    found = LatentScan(steps=3).bind(net)(BATCH)
    codes = net.encoder.predict(BATCH["image"], verbose=0).mean(axis=0)
    grid = scan(codes, (0, 1), found["x"], found["y"])
    wanted = net.decoder.predict(grid, verbose=0).reshape(3, 3, 8, 8, 1)
    np.testing.assert_allclose(found["grid"], wanted, atol=5e-3)
    with pytest.raises(EdkitError, match=r"'decoder': its inputs are \[\], no code: build it"):
        Samples().bind(net)


def nested(encoder: str = "enc", decoder: str = "dec") -> keras.Model:
    enc = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", name="c1"),
            layers.Flatten(),
            layers.Dense(2, name="d"),
        ],
        name=encoder,
    )
    dec = keras.Sequential(
        [keras.Input((2,)), layers.Dense(64, name="back"), layers.Reshape((8, 8, 1))], name=decoder
    )
    image = keras.Input((8, 8, 1), name="image")
    return keras.Model(image, dec(enc(image)))


@pytest.mark.parametrize("names", [("enc", "dec"), ("encoder", "decoder")])
def test_layers_and_scans_of_nested_sequential_models(names: tuple[str, str]) -> None:
    net = nested(*names)
    enc, dec = (net.get_layer(name) for name in names)
    probe = Activations(f"{names[0]}/c1", f"{names[1]}/back", names[1], samples=5, channels=3)
    maps = probe.bind(net)(BATCH)
    kernel, bias = (np.asarray(w) for w in enc.get_layer("c1").get_weights())
    padded = np.pad(BATCH["image"][:5, :, :, 0], ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    convolved = np.einsum("nhwij,ijc->nhwc", windows, kernel[:, :, 0]) + bias
    np.testing.assert_allclose(maps[f"{names[0]}/c1"], convolved[..., :3], atol=5e-3)
    codes = enc.predict(BATCH["image"], verbose=0)
    kernel, bias = dec.get_layer("back").get_weights()
    back = (codes[:5] @ kernel + bias)[:, :3]
    np.testing.assert_allclose(maps[f"{names[1]}/back"], back, atol=5e-3)
    scanned = LatentScan(names[1], steps=4).bind(net)(BATCH)
    for axis, dimension in (("x", 0), ("y", 1)):
        ends = np.quantile(codes[:, dimension], (0.05, 0.95))
        np.testing.assert_allclose(scanned[axis], np.linspace(*ends, 4), rtol=1e-4)


def test_layers_of_a_plain_sequential_model_and_of_none() -> None:
    net = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3, name="d"), layers.Dense(2)]
    )
    maps = Activations("d", samples=5).bind(net)(BATCH)["d"]
    kernel, bias = net.get_layer("d").get_weights()
    np.testing.assert_allclose(maps, BATCH["image"][:5].reshape(5, 64) @ kernel + bias, atol=5e-3)
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 3, name="c")], name="inner")
    outer = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 1), inner], name="outer")
    image = keras.Input((8, 8, 1), name="image")
    deep = keras.Model(image, outer(image))
    with pytest.raises(EdkitError, match="nobody can know what 'inner' is given inside of 'outer'"):
        Activations("outer/inner/c").bind(deep)
    pair = Pair()
    pair.extra = layers.Dense(2, name="extra")
    with pytest.raises(EdkitError, match="activations need a functional model, 'pair' is none"):
        Activations("extra").bind(pair)
