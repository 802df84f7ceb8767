"""The Spark job on a real local Spark: the same spans and products as in the store."""

import datetime as dt
import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from phaseout.model.findings import REPORT_SCHEMA, Applied, Finding, Report, RulesUsed
from phaseout.model.nouns import HostInfo, Identity, Item, SourceRun

from tests.support.command import phaseout
from tests.support.places import CODE, ROOT

pytest.importorskip("pyspark")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("java") is None, reason="no Java here"),
    pytest.mark.filterwarnings("ignore"),  # of Spark itself
]
HOSTS = int(os.environ.get("PHASEOUT_SPARK_HOSTS", "60"))
DAYS = 6


def reports(folder: Path) -> None:
    """Some days of reports: machines that are renamed, that lose a product, that are clones, and a broken file."""
    found = Finding(
        vendor="Kaspersky",
        vendor_id="kaspersky",
        product="KES",
        product_id="kes",
        category="endpoint_security",
        role="covered",
        verdict="replace",
        state="installed",
        confidence="certain",
        items=(Item(kind="program", name="KES", version="12.1", user="ada"),),
        because=("vendor and name fit",),
        measures=(
            Applied(
                id="us-commerce",
                title="t",
                applies="reaches",
                force="binding",
                milestone="update_cutoff",
                due="2024-09-29T00:00:00-04:00",
                status="in_force",
            ),
        ),
    )
    for number in range(HOSTS):
        for day in range(DAYS):
            has = number % 3 == 0 and day < number % 7
            renamed = number % 11 == 0 and day > 3
            same = number // 2 if number % 29 == 0 else number
            ids = (Identity("smbios_uuid", f"{same + 1:08x}-2222-3333-4444-555555555555"),) if number % 5 else ()
            report = Report(
                schema=REPORT_SCHEMA,
                tool="phaseout 0.2.0",
                scanned_at=f"2026-01-{day * 4 + 1:02}T{number % 24:02}:00:{day:02}Z",
                as_of="2026-01-31",
                host=HostInfo(name=f"pc{number}{'-new' if renamed else ''}", platform="windows", identity=ids),
                rules=RulesUsed(vendors=1, products=1, measures=1, digest="d", as_of="2026-01-01"),
                verdict="replace" if has else "clean",
                findings=(found,) if has else (),
                runs=(SourceRun(source="uninstall", status="ok", rows=1, items=1),),
            )
            (folder / f"{number}-{day}.json").write_bytes(msgspec.json.encode(report))
    (folder / "broken.json").write_bytes(b'{"schema": "phaseout-report/1"')


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(CODE), str(ROOT)])
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("test")
    settings: dict[str, Any] = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
    }
    session = builder.config(map=settings).getOrCreate()
    yield session
    session.stop()


def job() -> Any:
    spec = importlib.util.spec_from_file_location("fleet_job", ROOT / "scripts" / "spark" / "fleet_job.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_number_is_that_of_the_store(spark: Any, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    folder, db, export = tmp_path / "reports", str(tmp_path / "fleet.db"), tmp_path / "export"
    folder.mkdir()
    reports(folder)
    spark.sparkContext.addPyFile(str(ROOT / "scripts" / "spark" / "fleet_job.py"))
    counts = job().run(spark, str(folder), str(tmp_path / "spark"))
    assert counts == {"listed": HOSTS * DAYS + 1, "read": HOSTS * DAYS, "refused": 1}
    assert "refused 1" in phaseout("fleet", "add", db, str(folder)).stdout
    assert phaseout("fleet", "export", db, "--parquet", str(export)).returncode == 0

    def rows(place: Path, table: str, columns: str) -> Counter[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM read_parquet('{place}/{table}/*/*.parquet', hive_partitioning = true)"
        found = duckdb.sql(query).fetchall()
        return Counter(
            tuple(one.timestamp() if isinstance(one, dt.datetime) else str(one) for one in row) for row in found
        )

    spans = 'name, since, "until", next, verdict, CAST(month AS VARCHAR)'
    assert rows(tmp_path / "spark", "spans", spans) == rows(export, "spans", spans)
    held = 'name, since, "until", ended, "first", origin, product_id, verdict, state, measure, milestone, due'
    assert rows(tmp_path / "spark", "held", held) == rows(export, "held", held)
