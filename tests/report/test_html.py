from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from exporter.report import read_report, write_report
from exporter.report.html import to_html
from exporter.spec import Report

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects the text, refuses tags that do not close."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_the_page_holds_what_matters(passed):
    page = Page(to_html(passed))
    for word in (
        "digits",
        "All 3 formats are verified against Keras",
        "96.1 kB",
        "10.6 ulp",
        "42 %",
        "[?, 8, 8, 1]",
        "Sigmoid",
        "normal, batch 2",
        "1.26e-06",
        "onnxruntime.InferenceSession",
        "get_signature_runner",
        "tf.saved_model.load",
        "23,456",
        "3.15.1",
        "the first note",
    ):
        assert word in page.text, word


def test_the_page_tells_what_went_wrong(failed):
    page = Page(to_html(failed))
    for word in ("2 of 3 formats failed", "leave --to tflite out", "replace it by keras.ops", "mismatch", "97.5 %"):
        assert word in page.text, word
    assert "FFT" in page.text


def test_names_are_text_not_html(failed):
    html = to_html(failed)
    assert "<script" not in html
    assert "<b>FFT" not in html
    assert Page(html).text.startswith(" digits <script> ")


def test_nothing_comes_from_elsewhere(passed):
    html = to_html(passed)
    assert not re.search(r"https?://|@import|url\(|<link|<img|<iframe|<script", html)


def test_the_worst_comparison_stands_first(failed):
    text = Page(to_html(failed)).text
    assert (
        text.index("normal, batch 2")
        < text.index("normal, batch 3", text.index("in ulp"))
        < text.index("normal, batch 1")
    )


def test_many_kinds_of_op_are_added_up(passed):
    inspection = dataclasses.replace(passed["onnx"].inspection, ops={f"Op{n}": 100 - n for n in range(40)})
    artifact = dataclasses.replace(passed["onnx"], inspection=inspection)
    text = Page(to_html(dataclasses.replace(passed, artifacts=(artifact,)))).text
    assert "Op14" in text
    assert "Op15" not in text
    assert "25 other ops" in text


def test_a_report_without_artifacts(failed):
    page = Page(to_html(Report("m", failed.directory, (), failed.problems)))
    assert "The model cannot be exported" in page.text


def test_both_files_are_written_and_the_same_report_gives_the_same_bytes(passed, tmp_path):
    write_report(passed, tmp_path)
    first = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert sorted(first) == ["report.html", "report.json"]
    again = read_report(tmp_path)
    assert to_html(again).encode() == first["report.html"]


@pytest.mark.parametrize("ops", [{}, {"A": 1}])
def test_files_without_ops(passed, ops):
    inspection = dataclasses.replace(passed["onnx"].inspection, ops=ops, facts={}, metadata={})
    Page(to_html(dataclasses.replace(passed, artifacts=(dataclasses.replace(passed["onnx"], inspection=inspection),))))
