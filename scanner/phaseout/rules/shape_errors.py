"""Every error in the shape of a table, each with its place and what is expected there."""

import datetime as dt
import difflib
from collections.abc import Iterator

import msgspec
import msgspec.inspect as mi

from phaseout.model.quoting import quoted

_DEPTH = 20
_NAME = 100  # characters of an unknown name that are compared with the known ones


def explain(table: object, shape: type) -> Iterator[str]:
    """Lines such as `product[1].match[0].nmae: unknown field, did you mean "name"?`."""
    yield from _check(table, mi.type_info(shape), "", 0)


def _check(value: object, wanted: mi.Type, place: str, depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        yield f"{place}: nested too deeply"
    elif isinstance(wanted, mi.StructType):
        yield from _check_table(value, wanted, place, depth)
    elif isinstance(wanted, mi.VarTupleType):
        if isinstance(value, list):
            for index, element in enumerate(value):
                yield from _check(element, wanted.item_type, f"{place}[{index}]", depth + 1)
        else:
            yield f"{place}: must be a list, not {_shown(value)}"
    elif isinstance(wanted, mi.DictType):
        if isinstance(value, dict):
            for key, element in value.items():
                yield from _check_key(key, wanted.key_type, f"{place}.{key}")
                yield from _check(element, wanted.value_type, f"{place}.{key}", depth + 1)
        else:
            yield f"{place}: must be a table, not {_shown(value)}"
    elif isinstance(wanted, mi.UnionType):
        yield from _check_union(value, wanted, place, depth)
    elif isinstance(wanted, mi.LiteralType):
        if value not in wanted.values:
            meant = _meant(value, [str(one) for one in wanted.values])
            yield f"{place}: must be one of {_choice(wanted)}, not {_shown(value)}{meant}"
    elif not _is(value, wanted):
        yield f"{place}: must be {_NAMES.get(type(wanted), 'something else')}, not {_shown(value)}"


def _check_table(value: object, wanted: mi.StructType, place: str, depth: int) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: must be a table, not {_shown(value)}"
        return
    fields = {field.encode_name: field for field in wanted.fields}
    prefix = f"{place}." if place else ""
    for key, element in value.items():
        if key in fields:
            yield from _check(element, fields[key].type, prefix + key, depth + 1)
        else:
            yield f"{prefix}{key}: unknown field{_meant(key, list(fields))}"
    for name, field in fields.items():
        if field.required and name not in value:
            yield f"{prefix}{name}: missing"


def _check_union(value: object, wanted: mi.UnionType, place: str, depth: int) -> Iterator[str]:
    """Checks the member that the form of the value points to, so that the error is about that one."""
    fitting = [one for one in wanted.types if _form(value, one)]
    if fitting:
        yield from _check(value, fitting[0], place, depth)
    else:
        names = [
            _NAMES.get(type(one), "a list" if isinstance(one, mi.VarTupleType) else "a table") for one in wanted.types
        ]
        yield f"{place}: must be {' or '.join(dict.fromkeys(names))}, not {_shown(value)}"


def _check_key(key: str, wanted: mi.Type, place: str) -> Iterator[str]:
    if isinstance(wanted, mi.LiteralType) and key not in wanted.values:
        yield f"{place}: unknown field{_meant(key, [str(one) for one in wanted.values])}"


def _form(value: object, wanted: mi.Type) -> bool:
    if isinstance(wanted, mi.VarTupleType):
        return isinstance(value, list)
    if isinstance(wanted, mi.StructType | mi.DictType):
        return isinstance(value, dict)
    return isinstance(value, str) if isinstance(wanted, mi.LiteralType) else _is(value, wanted)


def _is(value: object, wanted: mi.Type) -> bool:
    if isinstance(wanted, mi.NoneType):
        return value is None
    try:
        msgspec.convert(value, _TYPES[type(wanted)])
    except (KeyError, msgspec.ValidationError):
        return False
    return True


def _meant(value: object, known: list[str]) -> str:
    close = difflib.get_close_matches(_text(value)[:_NAME], known, n=1, cutoff=0.6)  # takes time with its square
    return f", did you mean {quoted(close[0])}?" if close else ""


def _choice(wanted: mi.LiteralType) -> str:
    return ", ".join(f'"{value}"' for value in sorted(map(str, wanted.values)))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return quoted(value, 57)
    text = _text(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    try:
        return repr(value)
    except ValueError:  # hexadecimal, it can be read; Python refuses to write it in decimal
        return "a number of thousands of digits"


def _types() -> dict[type, type]:
    return {
        mi.StrType: str,
        mi.IntType: int,
        mi.BoolType: bool,
        mi.FloatType: float,
        mi.DateType: dt.date,
        mi.DateTimeType: dt.datetime,
    }


_TYPES = _types()
_NAMES: dict[type, str] = {
    mi.StrType: "a string",
    mi.IntType: "a whole number",
    mi.BoolType: "true or false",
    mi.FloatType: "a number",
    mi.DateType: "a date such as 2024-09-29",
    mi.DateTimeType: "an instant such as 2024-09-29T00:00:00-04:00",
    mi.NoneType: "nothing",
    mi.LiteralType: "a string",
}
