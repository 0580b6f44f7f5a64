"""Agreement and diversity of a conditional generator."""

import numpy as np

from ed_core.errors import EdkitError
from ed_core.evaluation.subject import Numbers
from ed_core.nn.predict import predict
from ed_core.plugins.spec import Field, Head
from ed_core.runs.outputs import predicts
from ed_core.runs.run import Run
from ed_core.seeds import Seeds

DRAWN = 100  # samples of each class
REAL = 10_000  # training samples at the most that drawn ones are compared with


def agreement(run: Run, classifier: Run, seed: int = 0) -> Numbers:
    """Return the share of drawn samples that a classifier gives the class that was asked for.

    100 samples of every class are drawn by the run's `decoder` from codes of N(0, 1), the same on
    every backend; the floor is that of a guess. A generator can please the classifier with one
    picture a class, so `diversity` goes with it: the variance within a class, summed over the
    pixels and averaged over the classes, of what is drawn over that of the training samples. It is
    0 where every picture of a class is the same, and 1 where they differ as the real ones do; it is
    left out where the real ones do not differ.

    Args:
        run: its decoder takes `code` and `label`.
        classifier: has a head on `label`, with the same classes.
        seed: of the codes.

    Raises:
        EdkitError: either run is not like that, or the classifier takes what is not drawn.
    """
    judge, classes = _judge(classifier), len(_label(run).classes)
    inputs = run.decoder.input
    if set(inputs) != {"code", "label"}:
        raise EdkitError(
            f"{str(run.path)!r} draws no class on request: its decoder takes "
            f"{', '.join(sorted(inputs))}, expected code and label."
        )
    labels = np.repeat(np.arange(classes, dtype="int32"), DRAWN)
    shape = (len(labels), *inputs["code"].shape[1:])
    codes = Seeds(seed).generator("codes").standard_normal(shape, np.float32)
    drawn = predict(run.decoder, {"code": codes, "label": labels})
    _check_inputs(run, classifier, drawn)
    predicted = predict(classifier.model, drawn, [judge.output])[judge.output].argmax(axis=-1)
    train = {name: np.asarray(run.data.splits["train"][name][:REAL]) for name in (*drawn, "label")}
    real = sum(_spread(train[name], train["label"]) for name in drawn)
    right = float(np.mean(predicted == labels))
    numbers: Numbers = {
        "agreement": right,
        "agreement_chance": 1 / classes,
        "agreement_count": len(labels),
    }
    if real:
        numbers["diversity"] = sum(_spread(drawn[name], labels) for name in drawn) / real
    return numbers


def _spread(samples: np.ndarray, labels: np.ndarray) -> float:
    """Return the variance within a class, summed over the numbers of a sample; mean of classes."""
    classes = np.unique(labels[labels >= 0])
    return float(
        np.mean([samples[labels == one].var(axis=0, dtype="float64").sum() for one in classes])
    )


def _label(run: Run) -> Field:
    """Return the field of the classes that may be asked for."""
    field = Field.from_facts(run.info["fields"].get("label", {"shape": (), "kind": "value"}))
    if field.kind != "class" or field.shape or not field.classes:
        raise EdkitError(f"{str(run.path)!r} has no classes: its data have no class field 'label'.")
    return field


def _judge(classifier: Run) -> Head:
    """Return the head that predicts `label`."""
    model = classifier.model
    for head in model.heads:
        shape = tuple(model.output[head.output].shape[1:])
        if head.target == "label" and predicts(head, _label(classifier), shape) == "class":
            return head
    raise EdkitError(f"{str(classifier.path)!r} is no classifier: it has no head on 'label'.")


def _check_inputs(run: Run, classifier: Run, drawn: dict[str, np.ndarray]) -> None:
    """Raise EdkitError where the classifier has other classes, or takes what is not drawn."""
    judged_classes, asked = _label(classifier).classes, _label(run).classes
    if judged_classes != asked:
        raise EdkitError(
            f"{str(classifier.path)!r} knows the classes {', '.join(judged_classes)}, but "
            f"{str(run.path)!r} draws {', '.join(asked)}."
        )
    for name, tensor in classifier.model.input.items():
        shape = tuple(tensor.shape[1:])
        drawn_shape = drawn[name].shape[1:] if name in drawn else None
        if drawn_shape != shape:
            raise EdkitError(
                f"{str(classifier.path)!r} takes {name!r} of shape {shape}, but the decoder of "
                f"{str(run.path)!r} draws {drawn_shape or ', '.join(drawn)}."
            )
