"""The fleet by Spark: reports in a folder or bucket → the tables of `phaseout fleet export --parquet`.

    spark-submit scripts/spark/fleet_job.py FOLDER OUTPUT

FOLDER is any path that Spark reads (`/reports`, `s3a://…`), with reports in JSON, one host each. OUTPUT gets
`spans/month=…` and `held/month=…`. The files are decoded, and hosts are told apart and given their history, by the same
code as in the store, inside the executors; the driver sees one row for each name and identity.

References:
    https://spark.apache.org/docs/latest/api/python/; `phaseout.fleet.history`, `phaseout.fleet.machines`
"""

import argparse
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from phaseout.fleet.answers import of_json
from phaseout.fleet.history import Facts, history
from phaseout.fleet.machines import Machine, Track, machines, new_track, track_key
from phaseout.fleet.nouns import Answer
from phaseout.inventories.document import BrokenError
from phaseout.parsers.encodings.identity import comparable

_SPANS = "host string, name string, since timestamp, until timestamp, next timestamp, verdict string, month string"
_HELD = (
    "host string, name string, since timestamp, until timestamp, ended timestamp, first timestamp, origin string,"
    " product_id string, product string, vendor_id string, vendor string, verdict string, state string, measure string,"
    " milestone string, due string, month string"
)


def decoded(files: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Track and answer of each report; for one that cannot be read, an empty track and the reason."""
    for file in files:
        try:
            answer = of_json(bytes(file.content), file.path)
        except BrokenError as error:
            yield "", f"{error}"
            continue
        yield track_key(answer.name, answer.platform, map(comparable, answer.identity)), answer


def track_of(key: str, answers: list[Answer]) -> Track:
    """The track of some answers."""
    first = answers[0]
    words = ((one.kind, comparable(one)) for one in first.identity)
    times = [one.at for one in answers]
    name = max(answers, key=lambda one: (one.at, one.name)).name
    return new_track(key, name, first.platform, words, min(times), max(times))


def clusters(tracks: list[Track]) -> list[list[Track]]:
    """Tracks that share an identity, or a name that is all that one of them has."""
    group = list(range(len(tracks)))

    def root(one: int) -> int:
        while group[one] != one:
            group[one] = group[group[one]]
            one = group[one]
        return one

    seen: dict[str, int] = {}
    lone = {one.name.casefold() for one in tracks if not (one.hardware or one.installations)}
    for number, one in enumerate(tracks):
        words = [*one.hardware.values(), *one.installations]
        if one.name.casefold() in lone:
            words.append(f"name:{one.name.casefold()}")
        for word in words:
            group[root(seen.setdefault(word, number))] = root(number)
    found: dict[int, list[Track]] = {}
    for number, one in enumerate(tracks):
        found.setdefault(root(number), []).append(one)
    return list(found.values())


def machines_of(tracks: list[Track]) -> dict[str, str]:
    """The track of each machine that names it → for every track."""
    found: list[Machine] = [machine for cluster in clusters(tracks) for machine in machines(cluster)]
    return {track.key: machine.tracks[0].key for machine in found for track in machine.tracks}


def rows(host: str, answers: Iterable[Answer]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The rows of a host for both tables, each with the name of its table."""
    numbers: dict[Any, int] = {}
    subjects: dict[Any, int] = {}
    facts: dict[int, Facts] = {}
    moments = set()
    found = list(answers)
    for answer in found:
        outcome = answer.outcome
        number = numbers.setdefault(outcome, len(numbers))
        if number not in facts:
            by_product = {one.product_id: subjects.setdefault(one, len(subjects)) for one in outcome.subjects}
            rank = (outcome.form, outcome.rules_of, repr(outcome).encode())
            facts[number] = Facts(rank, outcome.verdict, outcome.complete, outcome.rules, outcome.tool, by_product)
        moments.add((answer.at, number))
    past = history(sorted(moments), facts)
    name = max(found, key=lambda one: (one.at, one.name)).name
    after = [*(_time(one.since) for one in past.spans[1:]), None]
    for span, following in zip(past.spans, after, strict=True):
        yield "spans", (host, name, _time(span.since), _time(span.until), following, span.verdict, _month(span.since))
    by_number = {number: one for one, number in subjects.items()}
    for held in past.held:
        one = by_number[held.subject]
        times = (_time(held.since), _time(held.until), _time(held.ended), _time(held.first))
        what = (one.product_id, one.product, one.vendor_id, one.vendor, one.verdict, one.state, one.measure)
        yield "held", (host, name, *times, held.origin, *what, one.milestone, one.due, _month(held.since))


def run(spark: Any, folder: str, output: str) -> dict[str, int]:
    """Reads all reports and writes the tables.

    Returns:
        How many files were listed, read and refused.
    """
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(folder)
    answers = files.select("path", "content").rdd.mapPartitions(decoded).cache()
    refused = answers.filter(lambda pair: not pair[0]).count()
    by_track = answers.filter(lambda pair: pair[0]).groupByKey().mapValues(list).cache()
    names = spark.sparkContext.broadcast(machines_of(by_track.map(lambda pair: track_of(*pair)).collect()))
    by_host = by_track.map(lambda pair: (names.value[pair[0]], pair[1])).groupByKey()
    found = by_host.flatMap(lambda pair: rows(pair[0], [one for part in pair[1] for one in part])).cache()
    for table, columns in (("spans", _SPANS), ("held", _HELD)):
        own = found.filter(lambda pair, table=table: pair[0] == table).map(lambda pair: pair[1])
        spark.createDataFrame(own, columns).write.partitionBy("month").mode("overwrite").parquet(f"{output}/{table}")
    read = answers.count() - refused
    return {"listed": read + refused, "read": read, "refused": refused}


def _time(at: int | None) -> dt.datetime | None:
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC)


def _month(at: int) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m}"


def main() -> None:
    """Runs the job."""
    from pyspark.sql import SparkSession

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("output")
    arguments = parser.parse_args()
    spark = SparkSession.builder.appName("phaseout fleet").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    counts = run(spark, arguments.folder, arguments.output)
    print(f"listed {counts['listed']:,} = read {counts['read']:,} + refused {counts['refused']:,}")
    spark.stop()


if __name__ == "__main__":
    main()
