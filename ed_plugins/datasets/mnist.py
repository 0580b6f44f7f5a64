"""MNIST: handwritten digits."""

from ed_core import Dataset, Field, Fields, dataset
from ed_plugins.datasets._download import read_splits

_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_SHA256 = (  # of the decompressed files
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)


@dataset
def mnist() -> Dataset:
    """Handwritten digits, 60,000 + 10,000 of 28x28 (LeCun et al., 1998; CC BY-SA 3.0)."""
    fields = {
        "image": Field((28, 28, 1)),
        "label": Field((), "class", tuple("0123456789")),
    }
    return Dataset(Fields(fields), read_splits("mnist", _MIRRORS, _SHA256))
