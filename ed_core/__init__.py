"""Encoder-decoder networks on Keras 3: the mechanism. Public names load on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ed_core.engine.choice import settle_backend
from ed_core.engine.keras_import import watch_keras
from ed_core.errors import EdkitError as EdkitError
from ed_core.errors import FieldError as FieldError

if TYPE_CHECKING:
    from ed_core import augment as augment
    from ed_core import losses as losses
    from ed_core import metrics as metrics
    from ed_core.adversarial import ConstantWeights as ConstantWeights
    from ed_core.adversarial import Noise as Noise
    from ed_core.batch_normalization import CentredBatchNormalization as CentredBatchNormalization
    from ed_core.data import load_data as load_data
    from ed_core.evaluation import evaluate as evaluate
    from ed_core.figures import draw_figures as draw_figures
    from ed_core.findings import Findings as Findings
    from ed_core.objective import Objective as Objective
    from ed_core.optimizers import SubmodelAdam as SubmodelAdam
    from ed_core.options import FilePath as FilePath
    from ed_core.options import RunPath as RunPath
    from ed_core.plugins import DATASETS as DATASETS
    from ed_core.plugins import MODELS as MODELS
    from ed_core.plugins import dataset as dataset
    from ed_core.plugins import model as model
    from ed_core.preparation import Standardisation as Standardisation
    from ed_core.probes import Activations as Activations
    from ed_core.probes import LatentCodes as LatentCodes
    from ed_core.probes import LatentScan as LatentScan
    from ed_core.probes import Predictions as Predictions
    from ed_core.probes import Probe as Probe
    from ed_core.probes import Reconstruction as Reconstruction
    from ed_core.probes import Samples as Samples
    from ed_core.recorder import Recorder as Recorder
    from ed_core.recording import Recording as Recording
    from ed_core.recording import RunFolder as RunFolder
    from ed_core.registry import load_plugin_file as load_plugin_file
    from ed_core.run import Run as Run
    from ed_core.run import open_run as open_run
    from ed_core.sampling import Sampling as Sampling
    from ed_core.seeds import content_generator as content_generator
    from ed_core.shared_network import SharedNetwork as SharedNetwork
    from ed_core.spec import Dataset as Dataset
    from ed_core.spec import Field as Field
    from ed_core.spec import Fields as Fields
    from ed_core.spec import Groups as Groups
    from ed_core.spec import Head as Head
    from ed_core.spec import InputRecord as InputRecord
    from ed_core.training import resume as resume
    from ed_core.training import train as train

_LIGHT = {
    "DATASETS": "plugins",
    "MODELS": "plugins",
    "Dataset": "spec",
    "Field": "spec",
    "Fields": "spec",
    "FilePath": "options",
    "Findings": "findings",
    "Groups": "spec",
    "Head": "spec",
    "InputRecord": "spec",
    "Recording": "recording",
    "RunFolder": "recording",
    "RunPath": "options",
    "Standardisation": "preparation",
    "content_generator": "seeds",
    "dataset": "plugins",
    "load_data": "data",
    "load_plugin_file": "registry",
    "model": "plugins",
}
_WITH_KERAS = {
    "Activations": "probes",
    "CentredBatchNormalization": "batch_normalization",
    "ConstantWeights": "adversarial",
    "LatentCodes": "probes",
    "LatentScan": "probes",
    "Noise": "adversarial",
    "Objective": "objective",
    "Predictions": "probes",
    "Probe": "probes",
    "Reconstruction": "probes",
    "Recorder": "recorder",
    "Run": "run",
    "Samples": "probes",
    "Sampling": "sampling",
    "SharedNetwork": "shared_network",
    "SubmodelAdam": "optimizers",
    "augment": "",
    "draw_figures": "figures",
    "evaluate": "evaluation",
    "losses": "",
    "metrics": "",
    "open_run": "run",
    "resume": "training",
    "train": "training",
}
__all__ = ["EdkitError", "FieldError", *_LIGHT, *_WITH_KERAS]

watch_keras(settle_backend)


def __getattr__(name: str) -> Any:
    """Import a public name on its first use; one that needs Keras settles the backend first."""
    if name in _WITH_KERAS:
        from ed_core.engine import choose_backend

        choose_backend()
        home = _WITH_KERAS[name]
        value = (
            getattr(import_module(f"ed_core.{home}"), name)
            if home
            else import_module(f"ed_core.{name}")
        )
    elif name in _LIGHT:
        value = getattr(import_module(f"ed_core.{_LIGHT[name]}"), name)
    else:
        raise AttributeError(f"module 'ed_core' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
