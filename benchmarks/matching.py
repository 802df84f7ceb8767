"""Items a second through the matcher, and how the cost grows with the rules."""

import time

from phaseout.model.nouns import Item
from phaseout.model.rules import Match, Product, Ruleset, Specimen, Vendor
from phaseout.rules.matcher import Matcher

ITEMS = 1_000_000
BATCH = 50_000


def rules(products: int) -> Ruleset:
    """A tenth as many vendors as products, each product with a name, a path and a signer to know it by."""
    return Ruleset(
        vendors=tuple(
            Vendor(
                id=f"v{vendor}",
                name=f"Vendor {vendor}",
                publishers=(f"Maker{vendor} Technologies Inc.", f"Maker{vendor} Ltd"),
                signers=(f"Maker{vendor} Technologies Inc.",),
                product=tuple(
                    Product(
                        id=f"v{vendor}-p{number}",
                        name=f"Product {number}",
                        category="other",
                        platforms=("windows",),
                        match=(
                            Match(
                                kind="program",
                                name=f"Suite{vendor * 10 + number} Endpoint Security*",
                                vendor="@publishers",
                            ),
                            Match(path=f"*/Maker{vendor}/Suite {number}/*"),
                            Match(name=f"Suite{vendor * 10 + number} *", signer="@signers"),
                        ),
                        hit=(Specimen(name="x"),),
                    )
                    for number in range(10)
                ),
            )
            for vendor in range(products // 10)
        ),
        measures=(),
        digest="",
    )


def items(start: int) -> list[Item]:
    """Ordinary programs, one in a thousand of them of the rules."""
    return [
        Item(
            kind="program",
            name=f"Suite{number % 1000} Endpoint Security 11"
            if number % 1000 == 7
            else f"Program {number} Security Suite",
            vendor=f"Maker{number % 1000 // 10} Ltd" if number % 1000 == 7 else f"Some Company {number % 5000} Ltd",
            version=f"{number % 9}.{number % 7}",
            path=rf"C:\Program Files\Company {number % 5000}\Program {number}\app.exe",
        )
        for number in range(start, start + BATCH)
    ]


def rate(matcher: Matcher, count: int) -> tuple[float, int]:
    """Items a second, and how many were hit; making the items is not counted."""
    seconds = 0.0
    hits = 0
    for start in range(0, count, BATCH):
        batch = items(start)
        started = time.perf_counter()
        hits += len(matcher.match(batch))
        seconds += time.perf_counter() - started
    return count / seconds, hits


def main() -> None:
    """Prints the rate for 1,000 and 10,000 products."""
    rates: dict[int, float] = {}
    for products in (1_000, 10_000):
        started = time.perf_counter()
        matcher = Matcher(rules(products))
        built = time.perf_counter() - started
        rates[products], hits = rate(matcher, ITEMS)
        print(f"{products} products: index in {built:.2f} s, {rates[products]:,.0f} items a second, {hits} hits")
    print(f"ten times the rules cost {rates[1_000] / rates[10_000]:.2f} times the time")


if __name__ == "__main__":
    main()
