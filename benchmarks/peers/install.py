"""Makes the peers' virtual environments under .peers/, each with versions that are known to work.

    python -m benchmarks.peers.install [spu] [crypten] [mpyc]

What cannot be installed on this machine is said, and the others are installed. Nothing else here needs them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".peers"
_CPU = "https://download.pytorch.org/whl/cpu"  # where torch has no CUDA with it; without this index pip takes PyPI's


@dataclass(frozen=True, slots=True)
class Recipe:
    """pythons: minor versions of Python 3 that have wheels. steps: arguments of `pip install`, call after call."""

    name: str
    pythons: tuple[int, ...]
    steps: tuple[tuple[str, ...], ...]


RECIPES = (
    Recipe("spu", (11, 10), (("spu==0.9.5", "jax==0.4.34", "jaxlib==0.4.34", "numpy==1.26.4"),)),
    Recipe(
        "crypten",
        (11, 12),
        (
            ("--extra-index-url", _CPU, "--retries", "1", "torch==2.13.0", "numpy>=2,<3"),
            ("omegaconf==2.3.0", "pyyaml>=6"),
            ("--no-deps", "crypten==0.4.1"),  # what it names beside these is for neural networks, and large
        ),
    ),
    Recipe("mpyc", (11, 12, 13), (("mpyc==0.11", "numpy>=2,<3", "gmpy2>=2.2"),)),
)


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment; it need not exist."""
    return HOME / name / "bin" / "python"


def install(recipe: Recipe) -> str:
    """Makes an environment; the reason if that failed."""
    interpreter = _interpreter(recipe.pythons)
    if interpreter is None:
        return f"needs Python {' or '.join(f'3.{minor}' for minor in recipe.pythons)}; none was found on PATH"
    home = HOME / recipe.name
    shutil.rmtree(home, ignore_errors=True)
    commands = [
        [interpreter, "-m", "venv", str(home)],
        *(
            [str(python_of(recipe.name)), "-m", "pip", "install", "-q", "--disable-pip-version-check", *step]
            for step in recipe.steps
        ),
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(home, ignore_errors=True)
            return (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
    return ""


def _interpreter(minors: tuple[int, ...]) -> str | None:
    if sys.version_info[0] == 3 and sys.version_info[1] in minors:
        return sys.executable
    for minor in minors:
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return found
    return None


def main() -> None:
    """Installs those that are named, or those that are missing."""
    named = sys.argv[1:]
    for recipe in RECIPES:
        if recipe.name in named or (not named and not python_of(recipe.name).exists()):
            print(f"{recipe.name}: installing into {HOME.name}/{recipe.name}", flush=True)
            problem = install(recipe)
            print(f"{recipe.name}: {f'not installed: {problem}' if problem else 'installed'}", flush=True)


if __name__ == "__main__":
    main()
