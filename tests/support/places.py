"""Where tests find the checkout, the real captures and Windows Python."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ROOT / "scanner"
CORPORA = Path(os.environ.get("PHASEOUT_CORPORA", ROOT.parent / "shared" / "corpora"))
WINE = Path(os.environ.get("PHASEOUT_WINE", "/none"))
