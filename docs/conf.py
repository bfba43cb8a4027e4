# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for `make docs`; the pages come from tools/docs.py and docs/docsite."""

project = "kubestellar.core"
author = "kubestellar.core contributors"
project_copyright = f"2026, {author}"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
# Written by tools/docs.py, so that the pages can be built without reaching Ansible's site.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", "ansible.inv")}
nitpicky = True
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "display_version": False,
    "navigation_depth": 3,
    "titles_only": True,
    "vcs_pageview_mode": "edit",
}
html_title = "kubestellar.core"
html_short_title = html_title
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False
