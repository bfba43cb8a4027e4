# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation as HTML pages: `.venv/bin/python tools/docs.py`, or `make docs`.

antsibull-docs writes a page for each module, filter and role (what `ansible-doc` shows) and puts the guides of
`docs/docsite` beside them; Sphinx makes HTML of it all in `docs/_build`. A warning of either is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCES = ROOT / ".cache" / "docs"
PAGES = ROOT / "docs" / "_build"

ANSIBLE_LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
"""Label to page: what the pages of antsibull-docs refer to in Ansible's own documentation."""


def main() -> int:
    """Write the sources of the pages, then the pages. Return the exit code."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOME": str(ROOT / ".cache" / "ansible"),
    }
    shutil.rmtree(SOURCES, ignore_errors=True)
    SOURCES.mkdir(parents=True, mode=0o700)  # antsibull-docs refuses a folder that others may write to
    (SOURCES / "ansible.inv").write_bytes(_inventory(ANSIBLE_LABELS))
    commands = (
        [
            "antsibull-docs",
            "collection",
            "--use-current",
            "--squash-hierarchy",
            "--fail-on-error",
            "--no-add-antsibull-docs-version",
            "--dest-dir",
            str(SOURCES),
            "kubestellar.core",
        ],
        [
            *("sphinx-build", "-W", "--keep-going", "-q", "-E", "-b", "html"),
            *("-d", str(SOURCES / ".doctrees"), "-c", str(ROOT / "docs"), str(SOURCES), str(PAGES)),
        ],
    )
    shutil.rmtree(PAGES, ignore_errors=True)
    for program, *arguments in commands:
        if program == "sphinx-build":
            _add_pictures()
        code = subprocess.run([str(BIN / program), *arguments], env=environment, check=False).returncode
        if code != 0:
            sys.stderr.write(f"The pages are not complete: {program} has failed.\n")
            return 1
    sys.stdout.write(f"{(PAGES / 'index.html').relative_to(ROOT)} is the first page.\n")
    return 0


def _add_pictures() -> None:
    """antsibull-docs leaves pictures behind: put them beside the guides."""
    for guide in SOURCES.rglob("docsite"):
        shutil.copytree(ROOT / "docs" / "docsite" / "rst" / "images", guide / "images")


def _inventory(labels: dict[str, str]) -> bytes:
    """Labels of another site as Sphinx reads them: an inventory of version 2."""
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    lines = [
        f"{label} std:label -1 {page}#{label.replace('_', '-')} {label.replace('_', ' ').capitalize()}\n"
        for label, page in labels.items()
    ]
    return head.encode() + zlib.compress("".join(lines).encode())


if __name__ == "__main__":
    sys.exit(main())
