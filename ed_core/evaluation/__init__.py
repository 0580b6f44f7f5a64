"""Evaluation: measures chosen by the heads of a model, with their floors."""

from ed_core.evaluation.evaluate import MEASURES as MEASURES
from ed_core.evaluation.evaluate import evaluate as evaluate
from ed_core.evaluation.generators import agreement as agreement
from ed_core.evaluation.measures import confusion as confusion
from ed_core.evaluation.splits import default_split as default_split
from ed_core.evaluation.splits import split_arrays as split_arrays
from ed_core.evaluation.subject import Numbers as Numbers
from ed_core.evaluation.subject import SampleBatch as SampleBatch
from ed_core.evaluation.subject import Subject as Subject
from ed_core.evaluation.subject import truth as truth
from ed_core.nn.predict import pieces as pieces
from ed_core.nn.predict import predict as predict
from ed_core.nn.predict import values_of as values_of
from ed_core.runs.outputs import positions as positions
