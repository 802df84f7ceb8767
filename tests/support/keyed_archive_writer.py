"""Archives of objects, as NSKeyedArchiver writes them."""

import plistlib
from typing import Any


def archived(key: str, value: Any) -> dict[str, Any]:
    """The archive of a value, by its name at the top."""
    objects: list[Any] = ["$null"]

    def add(one: Any) -> plistlib.UID:
        if one is None:
            return plistlib.UID(0)
        objects.append(None)
        at = len(objects) - 1
        if isinstance(one, dict):
            keys, values = [add(name) for name in one], [add(inner) for inner in one.values()]
            objects[at] = {"NS.keys": keys, "NS.objects": values, "$class": plistlib.UID(0)}
        elif isinstance(one, list):
            objects[at] = {"NS.objects": [add(inner) for inner in one], "$class": plistlib.UID(0)}
        else:
            objects[at] = one
        return plistlib.UID(at)

    return {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {key: add(value)}, "$objects": objects}
