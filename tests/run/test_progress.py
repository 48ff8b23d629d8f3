from __future__ import annotations

import io
import re

import pytest

from exporter.run.progress import Lines, Live, Silent, progress_on


class Terminal(io.StringIO):
    def isatty(self):
        return True


def work(progress, error=None):
    with progress("Exporting"):
        with progress("Converting to ONNX"):
            pass
        with progress("Comparing", total=3) as advance:
            for _ in range(3):
                advance()
            if error:
                raise error


def test_silent_shows_nothing(capfd):
    work(Silent())
    assert capfd.readouterr() == ("", "")


def test_lines_are_written_as_stages_begin():
    stream = io.StringIO()
    work(Lines(stream))
    lines = stream.getvalue().splitlines()
    assert [line.partition(" s  ")[2] for line in lines] == ["Exporting", "  Converting to ONNX", "  Comparing"]
    assert all(float(line.partition(" s  ")[0]) >= 0 for line in lines)


def test_a_terminal_keeps_the_list_of_finished_stages(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    work(Live(stream))
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert re.findall(r"done +(.+) \d+\.\d s", text) == ["Converting to ONNX", "Comparing", "Exporting"]
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is shown again


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_a_failing_stage_is_marked_and_the_cursor_comes_back(monkeypatch, error):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = Live(stream)
    with pytest.raises(type(error)):
        work(progress, error)
    assert stream.getvalue().count("failed") == 2
    assert "\x1b[?25h" in stream.getvalue()
    work(progress)  # it can be used again


def test_titles_are_text_not_markup(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with Live(stream)("layer [bold]x[/bold] [/]"):
        pass
    assert "layer [bold]x[/bold] [/]" in stream.getvalue()


def test_the_form_follows_the_stream():
    assert isinstance(progress_on(io.StringIO()), Lines)
    assert isinstance(progress_on(Terminal()), Live)
    assert isinstance(progress_on(Terminal(), lines=True), Lines)
