"""The pages for contributors name modules, packages and files that exist, and their links lead somewhere.

A path in backticks is relative to the room that its page is about, to `exporter/`, or to the root of the project.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import exporter

ROOT = Path(__file__).parents[1]
ROOMS = {
    "lambdas.md": "lambdas",
    "legacy.md": "loading/legacy",
    "loading.md": "loading",
    "onnx.md": "formats/onnx",
    "tflite.md": "formats/tflite",
    "verification.md": "verification",
}
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "design").rglob("*.md"))]
LINKED = [*PAGES, ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`((?:[\w.-]+/)+|(?:[\w.-]+/)*[\w-]+\.py)`")  # a folder that ends in a slash, or a module
MODULE = re.compile(r"`(?:python -m )?exporter\.([a-z]\w*)")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def stale_paths(text: str, room: str = "") -> list[str]:
    """Return the paths in a text that lead nowhere."""
    bases = [ROOT / "exporter" / room, ROOT / "exporter", ROOT]
    return [path for path in PATH.findall(text) if not any((base / path).exists() for base in bases)]


def stale_modules(text: str) -> list[str]:
    """Return the names behind `exporter.` that are neither public nor a module."""
    found = {name for name in MODULE.findall(text) if name not in exporter.__all__}
    package = ROOT / "exporter"
    return sorted(n for n in found if not (package / n).is_dir() and not (package / f"{n}.py").is_file())


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    titles = (title.replace("`", "").strip().lower() for title in HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page whose file or heading does not exist."""
    broken = []
    for target, anchor in LINK.findall(prose(page)):
        path = page.parent / target if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}" if anchor else target)
    return broken


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_paths_lead_to_files(page):
    assert stale_paths(prose(page), ROOMS.get(page.name, "")) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_names_of_this_package_exist(page):
    assert stale_modules(prose(page)) == []


@pytest.mark.parametrize("page", LINKED, ids=named)
def test_links_lead_to_files_and_headings(page):
    assert broken_links(page) == []


def test_every_page_of_the_design_is_in_its_index():
    index = (ROOT / "docs" / "design" / "README.md").read_text(encoding="utf-8")
    decisions = (ROOT / "docs" / "design" / "decisions" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs" / "design").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index
    for page in (ROOT / "docs" / "design" / "decisions").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in decisions


def test_stale_names_are_found(tmp_path):
    text = (
        "`formats/onnx/expand.py`, `lower.py`, `formats/onnx/`, `exporter.parity`, `exporter.verification.tolerances`"
    )
    assert stale_paths(text) == ["formats/onnx/expand.py", "lower.py"]
    assert stale_paths(text, "formats/onnx") == ["formats/onnx/expand.py"]
    assert stale_modules(text) == ["parity"]
    page = tmp_path / "page.md"
    page.write_text("# One `x`: two\n[a](#one-x-two) [b](#three) [c](page.md) [d](gone.md) [e](https://example.org)\n")
    assert broken_links(page) == ["#three", "gone.md"]
