"""Configuration of Sphinx; see https://www.sphinx-doc.org/en/master/usage/configuration.html."""

from importlib import metadata

project = "opencode-config"
release = metadata.version(project)
extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
nitpicky = True
nitpick_ignore = [("py:class", "Any")]
autodoc_member_order = "bysource"
