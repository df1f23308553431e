"""Makes the studio importable; its pure modules need no Blender."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "assets"))
