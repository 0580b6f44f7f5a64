"""Answers as `ed_core.decoding.worker` does, without Keras; what it decodes follows from the code.

python fake_decoder.py SIZE CLASSES MODE, where MODE is `good`, `unable`, `mute` or `dies`.
"""

import os
import sys

import numpy as np

from ed_core.decoding.wire import Unpacker, pack


def decoded(codes: np.ndarray, label: int) -> np.ndarray:
    """(n, size) to (n, 8, 8, 1): the first two numbers make the halves bright, the class a row."""
    images = np.zeros((len(codes), 8, 8, 1), "f4")
    levels = 1 / (1 + np.exp(-codes))
    images[:, :, :4] = levels[:, 0, None, None, None]
    images[:, :, 4:] = levels[:, -1, None, None, None]
    images[:, label] = 1.0
    return images


def answer(facts: dict, arrays: dict) -> bytes:
    said = {name: facts[name] for name in ("ask", "topic", "number")}
    step = facts["step"] // 100 * 100
    if facts["ask"] == "decode":
        outputs = decoded(arrays["codes"], facts["label"])
        return pack({"is": "answer", "step": step, **said}, {"outputs": outputs})
    if facts["ask"] == "encode":
        codes = np.repeat(np.array(facts["samples"])[:, None], size, axis=1)
        return pack({"is": "answer", "step": step, **said}, {"codes": codes})
    points = arrays["codes"][:, :2] * 10
    return pack({"is": "answer", **said}, {"points": points})


size, classes, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
sink = os.fdopen(1, "wb", closefd=False)
if mode == "dies":
    print("I do not feel well", file=sys.stderr)
    sys.exit(3)
if mode == "unable":
    sink.write(pack({"is": "unable", "why": "this model has no decoder."}))
else:
    names = [f"class {n}" for n in range(classes)]
    sink.write(pack({"is": "ready", "size": size, "classes": names, "encodes": True}))
sink.flush()
unpacker = Unpacker()
while data := os.read(0, 2**16):
    for message in unpacker.feed(data):
        if mode == "good" or message.facts["ask"] == "embed":
            sink.write(answer(dict(message.facts), dict(message.arrays)))
    sink.flush()
