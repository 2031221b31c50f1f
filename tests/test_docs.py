"""The documents tell the truth: the README's Python runs as printed, its map is the tree, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from smpc_sql.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("datasets/**/*.md")])
PYTHON = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", README, re.DOTALL)


def mapped_paths() -> list[str]:
    """The map's paths; an indented one lies in the directory above it."""
    block = re.search(r"## Map of the repository\n\n```text\n(.*?)```", README, re.DOTALL)
    assert block
    paths, directory = [], ""
    for line in block.group(1).splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            directory = name if name.endswith("/") else ""
            paths.append(name)
        else:
            paths.append(directory + name)
    return paths


def test_the_map_names_what_exists() -> None:
    paths = mapped_paths()
    assert len(paths) == len(set(paths))
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []
    assert [path for path in paths if path.endswith("/") != (ROOT / path).is_dir()] == []


@pytest.mark.parametrize("package", ["smpc_sql", "parties"])
def test_the_map_names_all_of_the_packages(package: str) -> None:
    there = [
        f"{package}/{entry.name}{'/' if entry.is_dir() else ''}"
        for entry in sorted((ROOT / package).iterdir())
        if not entry.name.startswith("_") and (entry.suffix == ".py" or (entry / "__init__.py").exists())
    ]
    assert [path for path in there if path not in mapped_paths()] == []


def test_the_readme_has_a_program() -> None:
    assert PYTHON
    assert all("smpc_sql" in program for program, _ in PYTHON)


@pytest.mark.processes
@pytest.mark.parametrize(("program", "output"), PYTHON)
def test_the_readmes_python_prints_what_it_says(program: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", program],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == output


def test_the_readmes_commands_exist() -> None:
    commands = re.findall(r"^smpc-sql +(\w+)(.*?)(?:#.*)?$", README, re.MULTILINE)
    assert len(commands) >= 5
    for name, arguments in commands:
        shown = CliRunner().invoke(main, [name, "--help"])
        assert shown.exit_code == 0
        for option in re.findall(r"(?<!\w)(--?[a-z]+)\b", arguments):
            assert re.search(rf"(?<![\w-]){option}\b", shown.output), f"smpc-sql {name} has no {option}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_the_glossary_is_sorted_and_each_word_has_one_meaning() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("|---|---|\n")[1]
    words = [line.split("|")[1].strip() for line in table.splitlines()]
    assert len(words) > 20
    assert words == sorted(set(words))


def test_the_changelog_has_the_version() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert f"## {version.group(1)}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
