"""A verb of the command, without a model: pictures are copied, or it fails, or it waits.

The name of the input says which: `bad` is refused, `slow` says how far it is and waits, and
anything else is done.
"""

import shutil
import signal
import sys
import time
from pathlib import Path

verb, *arguments = sys.argv[1:]
run, source = map(Path, arguments[arguments.index("--") + 1 :])
output = Path(arguments[arguments.index("--output") + 1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
if source.name == "bad":
    print(f"edkit: {str(source)!r}: nothing reads it: expected one of .png.", file=sys.stderr)
    sys.exit(2)
if source.name == "slow":
    print("1,200 of 20,000 samples", file=sys.stderr, flush=True)
    output.mkdir(parents=True)
    time.sleep(600)
files = sorted(source.glob("*.png"))
if output.suffix == ".csv":
    output.parent.mkdir(parents=True)
    lines = [f"{file.name},{place},dog" for place, file in enumerate(files)]
    output.write_text("\n".join(["name,value,label", *lines]) + "\n")
else:
    output.mkdir(parents=True)
    for file in files:
        shutil.copy(file, output / file.name)
print("Refused: 'x.png': it is no picture.", file=sys.stderr)
print(f"Done {len(files)} of {len(files) + 1} samples in 0 s, 1 refused.", file=sys.stderr)
print(output)
