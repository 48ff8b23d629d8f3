"""The example in README.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)

    exec(compile(example, "README.md", "exec"), {})

    assert (tmp_path / "dist/mine/model.onnx").is_file()
    assert (tmp_path / "dist/mine/model.tflite").is_file()
    assert "OutputParity" in capsys.readouterr().out
