"""How the site is built of the Markdown of this repository: `python -m sphinx -c docs . FOLDER`, from the top folder.

The pages are written for GitHub; MyST reads the same Markdown. The site makes no request, and its search works offline.

References:
    https://myst-parser.readthedocs.io/en/latest/configuration.html
    https://pradyunsg.me/furo/customisation/
"""

project = "phaseout"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/**", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "benchmarks/README.md"]
exclude_patterns = [".*", "scanner", "scripts", "tests", "rules"]
nitpicky = True
myst_heading_anchors = 3  # links to headings, as GitHub makes them
html_theme = "furo"
html_title = "phaseout"
html_copy_source = False
html_show_sphinx = False
