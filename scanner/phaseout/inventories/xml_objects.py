"""XML as the objects that JSON would have: attributes and elements are members, repeated elements lists.

<component type="library"><name>a</name></component>   →   {"type": "library", "name": "a"}
"""

from collections.abc import Iterator
from typing import Any

from phaseout.parsers.encodings.xml_elements import elements

_ELEMENTS = 2_000_000


def objects(data: bytes, root: str, wanted: frozenset[str], lists: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """The wanted children of the root, each with its name, as soon as it ends; of one that is cut off, what there is.

    Args:
        data: the file.
        root: the name of its outermost element.
        wanted: the names of the children.
        lists: the names of elements that hold a list of like elements (`components` of `component`).

    Raises:
        ValueError: it is no XML, or ends early; what had ended before was given.
    """
    open_children: list[list[tuple[str, Any]]] = [[]]  # by depth: the ended elements whose parent has not ended
    path: list[str] = []
    try:
        for element in elements(data, _ELEMENTS):
            path = element.path.split("/")
            if path[0] != root or len(path) < 2 or path[1] not in wanted:
                continue
            while len(open_children) <= len(path) + 1:
                open_children.append([])
            value = _value(element.attributes, element.text, open_children[len(path) + 1], path[-1] in lists)
            open_children[len(path) + 1] = []
            if len(path) == 2:
                yield path[1], value
            else:
                open_children[len(path)].append((path[-1], value))
    except ValueError:
        children = open_children[3] if len(open_children) > 3 else []  # of the child of the root that was cut off
        if len(path) > 2 and path[1] in wanted and children:
            yield path[1], _value({}, "", children, path[1] in lists)
        raise


def _value(attributes: dict[str, str], text: str, children: list[tuple[str, Any]], is_list: bool) -> Any:
    if is_list and children:
        return [value for _, value in children]
    if is_list:
        return []
    if not children and not attributes:
        return text
    found: dict[str, Any] = {name.rpartition(":")[2]: value for name, value in attributes.items()}
    for name, value in children:
        found.setdefault(name, value)
    if text:
        found.setdefault("value", text)
    return found
