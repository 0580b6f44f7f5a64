"""Fashion-MNIST with ten fine and three coarse classes."""

import numpy as np

from ed_core import Dataset, Field, Fields, dataset
from ed_plugins.datasets._download import read_splits

_MIRRORS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
_SHA256 = (  # of the decompressed files
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
COARSE = ("tops", "bottoms", "other")
CLASSES = {  # in the order of their numbers, each with its coarse class
    "T-shirt/top": "tops",
    "Trouser": "bottoms",
    "Pullover": "tops",
    "Dress": "tops",
    "Coat": "tops",
    "Sandal": "other",
    "Shirt": "tops",
    "Sneaker": "other",
    "Bag": "other",
    "Ankle boot": "other",
}
FIELDS = Fields(
    {
        "image": Field((28, 28, 1)),
        "label": Field((), "class", tuple(CLASSES)),
        "coarse": Field((), "class", COARSE),
    }
)


@dataset
def fashion_mnist() -> Dataset:
    """Clothing, 60,000 + 10,000 of 28x28 (Xiao et al., 2017; MIT), with fine and coarse classes.

    `coarse` is the part of the body: the torso (tops, dresses included), the legs alone (bottoms),
    or neither (other: shoes and bags).
    """
    splits = read_splits("fashion-mnist", _MIRRORS, _SHA256)
    coarse_of = np.array([COARSE.index(coarse) for coarse in CLASSES.values()], "uint8")
    for arrays in splits.values():
        arrays["coarse"] = coarse_of[arrays["label"]]
    return Dataset(FIELDS, splits)
