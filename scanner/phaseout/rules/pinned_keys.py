"""The keys whose holders may sign rule packs. docs/packs.md describes the ceremony that makes them.

There are none yet, so this program refuses every pack. No option and no variable of the environment changes that.
"""

from phaseout.rules.packs import Keys

PINNED = Keys(version=0, threshold=2, keys=())
