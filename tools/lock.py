# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes `requirements/{runtime,test,docs}.txt` from the `.in` files beside them.

    python3 tools/lock.py           resolve all sets anew
    python3 tools/lock.py docs      only from this set on; the pins of those before it stay

Each set comes on top of those before it. Each `.txt` is complete (transitive packages too), so that it is
installed with `--no-deps`. Run it with the oldest Python that the collection supports; newer ones need a subset.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
SETS = ("runtime", "test", "docs")


def main(arguments: list[str]) -> int:
    """Resolve the sets from the named one on (all if none is named) in a fresh environment. Return the exit code."""
    first = arguments[0] if arguments else SETS[0]
    if first not in SETS:
        sys.stderr.write(f"There is no set {first}. The sets are: {', '.join(SETS)}.\n")
        return 2
    known: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(Path(folder, "bin", "python")), "-m", "pip", "--disable-pip-version-check"]
        for name in SETS:
            target = FOLDER / f"{name}.txt"
            if SETS.index(name) < SETS.index(first):
                subprocess.run([*pip, "install", "--quiet", "--no-deps", "-r", str(target)], check=True)
                known += [line for line in target.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
                continue
            pins = Path(folder, "pins.txt")
            pins.write_text("\n".join(known) + "\n", encoding="utf-8")
            source = FOLDER / f"{name}.in"
            subprocess.run([*pip, "install", "--quiet", "-r", str(source), "-c", str(pins)], check=True)
            frozen = subprocess.run(
                [*pip, "freeze"], check=True, capture_output=True, text=True
            ).stdout.split()
            lines = [
                "# SPDX-License-Identifier: GPL-3.0-or-later",
                f"# Made by tools/lock.py from {name}.in.",
            ]
            lines += [line for line in frozen if line not in known]
            target.write_text("\n".join(lines) + "\n", encoding="utf-8")
            known = frozen
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
