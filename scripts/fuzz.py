"""Feeds mutated captures to the parsers, and says which input made one raise or take too long.

    python scripts/fuzz.py --seconds 600 [--seeds DIR] [NAME]…

Every public function of `scanner/parsers/` that takes bytes or text as its first argument and needs no other is a
target. Seeds are files of a folder of real captures, above all those that the parser makes something of; mutations are
those that find format bugs: flipped bits, numbers at their limits, cut ends, pieces doubled, moved and crossed. What is
found is written to `fuzz-findings/` under the name of the target, so that it can become a test.
"""

import argparse
import importlib
import inspect
import os
import pkgutil
import random
import signal
import sys
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import scanner.parsers  # noqa: E402

LIMIT = 1 << 18  # bytes of a seed
PATIENCE = 5  # seconds for one input
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def targets() -> Iterator[tuple[str, Callable[[typing.Any], object], type]]:
    """Name, function and type of the input of every parser."""
    for module in pkgutil.iter_modules(scanner.parsers.__path__):
        loaded = importlib.import_module(f"scanner.parsers.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if name.startswith("_") or function.__module__ != loaded.__name__:
                continue
            parameters = list(inspect.signature(function).parameters.values())
            if not parameters or any(one.default is one.empty for one in parameters[1:]):
                continue
            hints = typing.get_type_hints(function)
            kind = hints.get(parameters[0].name)
            if kind in (bytes, str):
                yield f"{module.name}.{name}", function, kind


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """The data with a few of the changes that break parsers."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        if not changed:
            changed += bytes(rng.randrange(256) for _ in range(8))
        place = rng.randrange(len(changed))
        match rng.randrange(8):
            case 0:
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                width = rng.choice((1, 2, 4))
                number = rng.choice(NUMBERS) & ((1 << 8 * width) - 1)
                changed[place : place + width] = number.to_bytes(width, rng.choice(("little", "big")))
            case 2:
                del changed[place:]
            case 3:
                del changed[place : place + rng.randrange(1, 64)]
            case 4:
                changed[place:place] = changed[place : place + rng.randrange(1, 256)]
            case 5:
                start = rng.randrange(len(other) + 1)
                changed[place : place + 32] = other[start : start + 32]
            case 6:
                changed[place:place] = rng.choice(
                    (b"\0", b"\n", b"\n\n", b'"', b"\\", b"<", b"&", b"[" * 300, b"\xff\xfe")
                )
            case _:
                changed[place] = rng.randrange(256)
    return bytes(changed[:LIMIT])


def consume(result: object) -> None:
    """Runs a generator to its end: a lazy parser raises only then."""
    if isinstance(result, Iterator):
        for count, _ in enumerate(result):
            if count > 100_000:
                break


def run(name: str, function: Callable[[typing.Any], object], kind: type, seeds: list[bytes], seconds: float) -> int:
    """Findings of one target; each distinct place that raises is kept once."""
    rng = random.Random(name)
    own = [seed for seed in seeds if accepted(function, seed if kind is bytes else text(seed))] or seeds
    end = time.monotonic() + seconds
    found: dict[str, bytes] = {}
    count = 0
    while time.monotonic() < end:
        data = mutated(rng.choice(own if rng.random() < 0.9 else seeds), rng.choice(own), rng)
        count += 1
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            consume(function(data if kind is bytes else text(data)))
        except ValueError as error:  # the documented way of many parsers to refuse
            if not documented(function):
                found.setdefault(f"{type(error).__name__}: {error}"[:60], data)
        except Exception as error:  # noqa: BLE001  (that is what is looked for)
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            line = trace.tb_lineno if trace is not None else 0
            found.setdefault(f"{type(error).__name__} at line {line}", data)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    print(f"{name:50} {count:9,} inputs, {len(own):4} seeds, {len(found)} findings", flush=True)
    for number, (what, data) in enumerate(found.items()):
        print(f"    {what}", flush=True)
        folder = ROOT / "fuzz-findings"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}-{number}").write_bytes(data)
    return len(found)


def text(data: bytes) -> str:
    """As `Files.text` gives it."""
    return data.decode("utf-8", "backslashreplace")


def accepted(function: Callable[[typing.Any], object], seed: bytes | str) -> bool:
    """Whether the parser makes something of a seed: such seeds reach further into it."""
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        result = function(seed)
        return next(result, None) is not None if isinstance(result, Iterator) else bool(result)
    except Exception:  # noqa: BLE001  (the run itself will find it)
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def documented(function: Callable[..., object]) -> bool:
    """Whether the function says that it raises ValueError (or a class of it)."""
    return "Raises:" in (inspect.getdoc(function) or "")


def load_seeds(folder: Path, rng: random.Random) -> list[bytes]:
    """Some real files, small and large ones, and nothing at all."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    chosen = rng.sample(files, min(1500, len(files)))
    return [b"", *(path.read_bytes()[:LIMIT] for path in chosen)]


def main() -> None:
    """Runs the targets one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only targets that begin so")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seeds", type=Path, default=ROOT.parent / "shared" / "corpora")
    arguments = parser.parse_args()

    def too_long(*_: object) -> None:
        raise TimeoutError(f"more than {PATIENCE} s")

    signal.signal(signal.SIGALRM, too_long)
    seeds = load_seeds(arguments.seeds, random.Random(1))
    wanted = [one for one in targets() if not arguments.names or one[0].startswith(tuple(arguments.names))]
    print(f"{len(wanted)} targets, {len(seeds)} seeds, {arguments.seconds:g} s each, process {os.getpid()}", flush=True)
    findings = sum(run(*one, seeds, arguments.seconds) for one in wanted)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
