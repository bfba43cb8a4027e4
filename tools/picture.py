# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the picture of a report in the guide, `docs/docsite/rst/images/status_report.png`: `.venv/bin/python tools/picture.py`.

It needs a Chromium, and looks best where the font Inter is installed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (collections := str(ROOT / ".venv" / "collections")) not in sys.path:
    sys.path.insert(0, collections)
PICTURE = ROOT / "docs" / "docsite" / "rst" / "images" / "status_report.png"


def main() -> None:
    """Draw the report of a made-up hub and photograph it."""
    from ansible_collections.kubestellar.core.plugins.module_utils.status import page
    from ansible_collections.kubestellar.core.tests import browser, views

    with tempfile.TemporaryDirectory() as name, browser.started(Path(name)) as started:
        path = Path(name) / "report.html"
        path.write_text(page.text(views.small()), encoding="utf-8")
        started.look(1120, 1400)
        started.open(path)
        started.drawn()
        # Its age would differ with every picture.
        started.value(
            "document.getElementById('age').textContent = 'just now'; document.getElementById('banner').hidden = true"
        )
        started.picture(PICTURE)


if __name__ == "__main__":
    main()
