"""Files that are no programs by their names: on a disk of Windows, the mode of every file says that it may be run."""

_ENDINGS = frozenset(
    (
        *("bak", "cfg", "conf", "css", "csv", "dat", "db", "gif", "gz", "h", "htm", "html", "ico", "ini", "jpg", "js"),
        *("json", "lock", "log", "map", "md", "mo", "pak", "pdf", "pem", "pid", "png", "pyc", "svg", "tar", "ttf"),
        *("txt", "whl", "xml", "xz", "yaml", "yml", "zip", "zst"),
    )
)


def is_data(name: str) -> bool:
    """Whether the ending of a name says that the file is no program."""
    return name.rpartition(".")[2].lower() in _ENDINGS
