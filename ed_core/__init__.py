"""Encoder-decoder networks on Keras 3. Public names load on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ed_core.engine.choice import settle_backend
from ed_core.engine.keras_import import watch_keras
from ed_core.errors import EdkitError as EdkitError
from ed_core.errors import FieldError as FieldError

if TYPE_CHECKING:
    from ed_core.data import augment as augment
    from ed_core.data import defects as defects
    from ed_core.data.loading import load_data as load_data
    from ed_core.data.preparation import Standardisation as Standardisation
    from ed_core.evaluation.evaluate import evaluate as evaluate
    from ed_core.figures.draw import draw_figures as draw_figures
    from ed_core.nn import losses as losses
    from ed_core.nn import metrics as metrics
    from ed_core.nn.layers import CentredBatchNormalization as CentredBatchNormalization
    from ed_core.nn.layers import ConstantWeights as ConstantWeights
    from ed_core.nn.layers import MirrorAverage as MirrorAverage
    from ed_core.nn.layers import Noise as Noise
    from ed_core.nn.layers import Sampling as Sampling
    from ed_core.nn.layers import SharedNetwork as SharedNetwork
    from ed_core.nn.objective import Objective as Objective
    from ed_core.nn.optimizers import SubmodelAdam as SubmodelAdam
    from ed_core.plugins.decorators import DATASETS as DATASETS
    from ed_core.plugins.decorators import MODELS as MODELS
    from ed_core.plugins.decorators import dataset as dataset
    from ed_core.plugins.decorators import model as model
    from ed_core.plugins.findings import Findings as Findings
    from ed_core.plugins.options import FilePath as FilePath
    from ed_core.plugins.options import RunPath as RunPath
    from ed_core.plugins.registry import load_plugin_file as load_plugin_file
    from ed_core.plugins.spec import Dataset as Dataset
    from ed_core.plugins.spec import Field as Field
    from ed_core.plugins.spec import Fields as Fields
    from ed_core.plugins.spec import FileReader as FileReader
    from ed_core.plugins.spec import FileSamples as FileSamples
    from ed_core.plugins.spec import Groups as Groups
    from ed_core.plugins.spec import Head as Head
    from ed_core.plugins.spec import InputRecord as InputRecord
    from ed_core.plugins.spec import Place as Place
    from ed_core.probes import Activations as Activations
    from ed_core.probes import LatentCodes as LatentCodes
    from ed_core.probes import LatentScan as LatentScan
    from ed_core.probes import Predictions as Predictions
    from ed_core.probes import Probe as Probe
    from ed_core.probes import Reconstruction as Reconstruction
    from ed_core.probes import Samples as Samples
    from ed_core.probes.recorder import Recorder as Recorder
    from ed_core.recording import Recording as Recording
    from ed_core.recording import RunFolder as RunFolder
    from ed_core.runs.run import Run as Run
    from ed_core.runs.run import open_run as open_run
    from ed_core.seeds import content_generator as content_generator
    from ed_core.training.train import resume as resume
    from ed_core.training.train import train as train

_LIGHT = {
    "DATASETS": "plugins.decorators",
    "MODELS": "plugins.decorators",
    "Dataset": "plugins.spec",
    "Field": "plugins.spec",
    "Fields": "plugins.spec",
    "FilePath": "plugins.options",
    "FileReader": "plugins.spec",
    "FileSamples": "plugins.spec",
    "Findings": "plugins.findings",
    "Groups": "plugins.spec",
    "Head": "plugins.spec",
    "InputRecord": "plugins.spec",
    "Place": "plugins.spec",
    "Recording": "recording",
    "RunFolder": "recording",
    "RunPath": "plugins.options",
    "Standardisation": "data.preparation",
    "content_generator": "seeds",
    "dataset": "plugins.decorators",
    "load_data": "data.loading",
    "load_plugin_file": "plugins.registry",
    "model": "plugins.decorators",
}
_WITH_KERAS = {
    "Activations": "probes",
    "CentredBatchNormalization": "nn.layers",
    "ConstantWeights": "nn.layers",
    "LatentCodes": "probes",
    "LatentScan": "probes",
    "MirrorAverage": "nn.layers",
    "Noise": "nn.layers",
    "Objective": "nn.objective",
    "Predictions": "probes",
    "Probe": "probes",
    "Reconstruction": "probes",
    "Recorder": "probes.recorder",
    "Run": "runs.run",
    "Samples": "probes",
    "Sampling": "nn.layers",
    "SharedNetwork": "nn.layers",
    "SubmodelAdam": "nn.optimizers",
    "augment": "data.augment",
    "defects": "data.defects",
    "draw_figures": "figures.draw",
    "evaluate": "evaluation.evaluate",
    "losses": "nn.losses",
    "metrics": "nn.metrics",
    "open_run": "runs.run",
    "resume": "training.train",
    "train": "training.train",
}
_MODULES = ("augment", "defects", "losses", "metrics")
__all__ = ["EdkitError", "FieldError", *_LIGHT, *_WITH_KERAS]

watch_keras(settle_backend)


def __getattr__(name: str) -> Any:
    """Import a public name on its first use; one that needs Keras settles the backend first."""
    if name in _WITH_KERAS:
        from ed_core.engine import choose_backend

        choose_backend()
        home = import_module(f"ed_core.{_WITH_KERAS[name]}")
        value = home if name in _MODULES else getattr(home, name)
    elif name in _LIGHT:
        value = getattr(import_module(f"ed_core.{_LIGHT[name]}"), name)
    else:
        raise AttributeError(f"module 'ed_core' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
