"""A process of its own that runs one model in TensorFlow Lite Micro.

    python -m exporter.formats.micro.worker FILE ARENA IN OUT

The interpreter ends the whole process when its arena is too small or a kernel finds itself misused. The numbers of the IN
inputs come in on standard input, those of the OUT outputs go out; their shapes and dtypes are fixed. What the interpreter says
goes to standard error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(file: str, arena: str, inputs: str, outputs: str) -> None:
    """Load the model, say so by a line feed, then answer each set of inputs until there are no more."""
    import numpy as np
    from tflite_micro.python.tflite_micro import runtime

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the interpreter prints
    interpreter = runtime.Interpreter.from_bytes(Path(file).read_bytes(), arena_size=int(arena))
    taken = [interpreter.get_input_details(index) for index in range(int(inputs))]
    templates = [np.empty(detail["shape"], detail["dtype"]) for detail in taken]
    answers.write(b"\n")
    answers.flush()
    while True:
        for index, template in enumerate(templates):
            content = sys.stdin.buffer.read(template.nbytes)
            if len(content) < template.nbytes:
                return
            interpreter.set_input(np.frombuffer(content, template.dtype).reshape(template.shape), index)
        interpreter.invoke()
        for index in range(int(outputs)):
            answers.write(interpreter.get_output(index).tobytes())
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
