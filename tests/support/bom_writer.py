"""Bills of materials, as `mkbom` writes them: blocks, a tree of paths, and the table of both."""

import struct

_IN_A_LEAF = 256


def bom(*paths: str) -> bytes:
    """The bill of files at some paths, and of the folders above them; a path that ends in `/` is a folder."""
    blocks = [b""]
    kinds: dict[str, int] = {}
    for path in paths:
        parts = path.strip("/").split("/")
        for at in range(1, len(parts)):
            kinds.setdefault("/".join(parts[:at]), 2)
        kinds["/".join(parts)] = 2 if path.endswith("/") else 1
    ordered = sorted(kinds, key=lambda path: (path.count("/"), path))
    numbers = {"": 1} | {path: at for at, path in enumerate(ordered, 2)}
    entries = []
    for path in ("", *ordered):
        about = struct.pack(">BBHHIIIIBI", kinds.get(path, 2), 1, 15, 0o755, 0, 0, 0, 0, 1, 0)
        name = path.rpartition("/")[2] or "."
        parent = numbers[path.rpartition("/")[0]] if path else 0
        blocks.append(about + bytes(12))
        blocks.append(struct.pack(">2I", numbers[path], len(blocks) - 1))
        blocks.append(struct.pack(">I", parent) + name.encode() + b"\0")
        entries.append((len(blocks) - 2, len(blocks) - 1))
    first = len(blocks)
    leaves = [entries[at : at + _IN_A_LEAF] for at in range(0, len(entries), _IN_A_LEAF)]
    for at, leaf in enumerate(leaves):
        forward = first + at + 1 if at + 1 < len(leaves) else 0
        backward = first + at - 1 if at else 0
        pairs = b"".join(struct.pack(">2I", *pair) for pair in leaf)
        blocks.append(struct.pack(">2H2I", 1, len(leaf), forward, backward) + pairs)
    root = first
    if len(leaves) > 1:
        root = len(blocks)
        pairs = b"".join(struct.pack(">2I", first + at, leaf[-1][1]) for at, leaf in enumerate(leaves))
        blocks.append(struct.pack(">2H2I", 0, len(leaves), 0, 0) + pairs)
    blocks.append(struct.pack(">4s4IB", b"tree", 1, root, 4096, len(entries), 0))
    names = struct.pack(">2IB", 2, 1, 7) + b"BomInfo" + struct.pack(">IB", len(blocks) - 1, 5) + b"Paths"
    body, table = b"", struct.pack(">I", len(blocks))
    for block in blocks:
        table += struct.pack(">2I", 512 + len(body), len(block)) if block else bytes(8)
        body += block
    table += struct.pack(">I", 0)
    after = 512 + len(body)
    head = struct.pack(">8s6I", b"BOMStore", 1, len(blocks), after, len(table), after + len(table), len(names))
    return head.ljust(512, b"\0") + body + table + names
