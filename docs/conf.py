"""Knows how Sphinx builds this site: the extensions, the theme, and which pages there are.

It must not know what the pages say, nor any figure.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ["MATPLOTLIBRC"] = str(Path(__file__).parent / "matplotlibrc")  # for the notebooks'

project = "fanfill"
author = "The fanfill authors"
copyright = "The fanfill authors, Apache-2.0"  # noqa: A001 - Sphinx's name for it
release = version = installed_version("fanfill")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "battery_tables",
    "catalogue",
    "checkpoint_tables",
    "command_line",
    "drawn_figure",
    "framework_tables",
    "math_ml",
    "module_introduction",
    "name_or_literal",
    "proof_tables",
    "public_names",
    "speed_tables",
    "tutorials",
    "versus_tables",
]
exclude_patterns = ["_*", "figures", "results"]
# A name in single backquotes, in Markdown by {py:obj}: a link where the reference has it.
default_role = "name-or-literal"
nitpicky = True
smartquotes = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3

nb_execution_mode = "off"  # tutorials.py runs them
nb_output_stderr = "remove"  # progress bars, and what launchers say

documented_packages = [
    "fanfill",
    "fanfill.random",
    "fanfill.torch",
    "fanfill.jax",
    "fanfill.jax.initializers",
    "fanfill.keras",
]
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types in words
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
# As a list like that of the parameters: without guessing which words of a type are names.
napoleon_custom_sections = [("Attributes", "params_style")]

html_theme = "furo"
html_title = f"fanfill {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e6e", "color-brand-content": "#0b6e6e"},
    "dark_css_variables": {"color-brand-primary": "#4fc3c3", "color-brand-content": "#4fc3c3"},
}
