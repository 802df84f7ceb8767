"""Well-known products that protect Linux."""

import json

from tests.support.harness import run
from tests.support.trees import Tree

WANTS = "/etc/systemd/system/multi-user.target.wants"
MANAGED = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json"


def _started(tree: Tree, unit: str) -> None:
    tree.write(f"/usr/lib/systemd/system/{unit}", "[Service]\n")
    tree.link(f"{WANTS}/{unit}", f"/usr/lib/systemd/system/{unit}")


def test_clamav_on_demand_and_the_age_of_its_database(tree: Tree) -> None:
    tree.write("/usr/sbin/clamd")
    _started(tree, "clamav-daemon.service")
    head = "ClamAV-VDB:22 Nov 2026 10-15 -0500:27100:2000000:90:md5:sig:builder:1795360500"
    tree.write("/var/lib/clamav/daily.cvd", head.ljust(512))
    (item,) = run("antivirus", tree.host()).items
    assert (item.name, item.details["enabled"], item.details["mode"]) == ("ClamAV", "yes", "on demand")
    assert (item.details["signatures"], item.details["updated"]) == ("27100", "2026-11-22T15:15:00Z")
    _started(tree, "clamav-clamonacc.service")
    tree.write("/var/lib/clamav/daily.cvd", head.rpartition(":")[0] + ":x")
    (item,) = run("antivirus", tree.host()).items
    assert ("mode" in item.details, item.details["updated"]) == (False, "2026-11-22")


def test_a_unit_that_is_off_masked_or_unknown(tree: Tree) -> None:
    tree.folder("/opt/CrowdStrike")
    (item,) = run("antivirus", tree.host()).items
    assert ("enabled" in item.details, item.details["note"]) == (False, "no unit of it is known here")
    tree.write("/lib/systemd/system/falcon-sensor.service", "[Service]\n")
    (item,) = run("antivirus", tree.host()).items
    assert item.details["enabled"] == "no"
    tree.link(f"{WANTS}/falcon-sensor.service", "/lib/systemd/system/falcon-sensor.service")
    tree.link("/etc/systemd/system/falcon-sensor.service", "/dev/null")
    (item,) = run("antivirus", tree.host()).items
    assert (item.details["enabled"], "masked" in item.details["note"]) == ("no", True)


def test_defender_as_its_console_has_set_it(tree: Tree) -> None:
    tree.folder("/opt/microsoft/mdatp")
    _started(tree, "mdatp.service")
    for text, mode in (
        (json.dumps({"antivirusEngine": {"enforcementLevel": "passive"}}), "passive"),
        (json.dumps({"antivirusEngine": {"enforcementLevel": "real_time"}}), ""),
        (json.dumps({"antivirusEngine": []}), ""),
        ("{", ""),
    ):
        tree.write(MANAGED, text)
        (item,) = run("antivirus", tree.host()).items
        assert (item.details["enabled"], item.details.get("mode", "")) == ("yes", mode)


def test_nothing(tree: Tree) -> None:
    assert run("antivirus", tree.host()).items == ()
