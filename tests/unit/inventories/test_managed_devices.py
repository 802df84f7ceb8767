"""Devices of management systems. Made by hand after the published schemas: no export of such a system is here."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.inventories import read
from phaseout.model.nouns import Inventory

from tests.unit.inventories.conftest import JSON, broken, one, read_bytes

TIKTOK = "com.zhiliaoapp.musically"
JAMF = {
    "totalCount": 2,
    "results": [
        {
            "id": "1",
            "udid": "8A1B2C3D-1111-4444-8888-000000000001",
            "general": {"name": "mac-7", "platform": "Mac", "reportDate": "2026-11-20T08:00:00.123Z"},
            "hardware": {"serialNumber": "C02XL0THJG5H"},
            "operatingSystem": {"name": "macOS", "version": "15.1"},
            "services": [{"name": "no application"}],
            "applications": [
                {"name": "TikTok.app", "path": "/Applications/TikTok.app", "version": "9", "bundleId": TIKTOK},
                {"name": "", "path": None},
            ],
        },
        {"id": "2", "udid": "8A1B2C3D-1111-4444-8888-000000000002", "general": {"name": "mac-8"}, "applications": None},
    ],
}
APP = {"identifier": TIKTOK, "name": "TikTok", "version": "412", "shortVersion": "41.2"}
MOBILE = {
    "mobileDeviceId": "7",
    "deviceType": "iOS",
    "general": {"displayName": "ipad-1", "osVersion": "17.4", "deviceOwnershipType": "Institutional"},
    "hardware": {"serialNumber": "F9FXK0000001"},
    "applications": [APP],
}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("indent", [None, 2])
def test_computers_of_jamf(indent: int | None) -> None:
    first, second = read_bytes(json.dumps(JAMF, indent=indent).encode())
    assert isinstance(first, Inventory)
    assert isinstance(second, Inventory)
    (app,) = first.items
    assert (app.kind, app.name, app.version, app.path, app.ids) == (
        "app",
        "TikTok",
        "9",
        "/Applications/TikTok.app",
        {"bundle_id": TIKTOK},
    )
    assert (first.host.name, first.host.platform, first.host.os_version) == ("mac-7", "macos", "15.1")
    assert first.scanned_at == "2026-11-20T08:00:00Z"
    assert first.runs[0].left_out == {"damaged": 1}
    assert "results[0]" in first.runs[0].problems[0].where
    assert {one.kind for one in first.host.identity} == {"serial", "device_id"}
    assert (second.host.name, second.runs[0].problems[0].cause) == ("mac-8", "missing")
    assert any(not part.kinds for part in second.unseen)  # all software


@pytest.mark.parametrize(
    ("document", "name", "platform"),
    [
        (MOBILE, "ipad-1", "ios"),
        ({"results": [MOBILE]}, "ipad-1", "ios"),
        ({"id": "7", "serialNumber": "F9F1", "name": "ipad-1", "ios": {"applications": [APP]}}, "ipad-1", "ios"),
        (
            {"mobile_device": {"general": {"display_name": "i-1", "os_type": "iOS"}, "applications": [APP]}},
            "i-1",
            "ios",
        ),
        ({"computer": {"general": {"name": "m-1"}, "software": {"applications": [APP]}}}, "m-1", "macos"),
        (
            {
                "kind": "admin#directory#mobiledevices",
                "mobiledevices": [
                    {
                        "resourceId": "AF",
                        "deviceId": "3583",
                        "name": ["Ada Example"],
                        "os": "Android 14",
                        "applications": [{"packageName": TIKTOK, "displayName": "TikTok", "versionName": "41.2"}],
                    }
                ],
            },
            "3583",
            "android",
        ),
        (
            {
                "DeviceFriendlyName": "phone-3",
                "Platform": "Apple",
                "DeviceApps": [{"ApplicationName": "TikTok", "Version": "41.2", "ApplicationIdentifier": TIKTOK}],
            },
            "phone-3",
            "ios",
        ),
        (
            {"device_uuid": "d-1", "app_items": [{"name": "TikTok", "installed_version": "41.2", "bundle_id": TIKTOK}]},
            "d-1",
            "windows",
        ),
        (
            {
                "value": [
                    {
                        "id": "x",
                        "deviceName": "pc-1",
                        "operatingSystem": "Android",
                        "detectedApps": [{"displayName": "TikTok", "version": "41.2", "publisher": "ByteDance"}],
                    }
                ]
            },
            "pc-1",
            "android",
        ),
    ],
)
def test_shapes(document: Any, name: str, platform: str) -> None:
    found = one(encoded(document))
    assert (found.host.name, found.host.platform) == (name, platform)
    assert [(item.name, item.version) for item in found.items] == [("TikTok", "41.2")]


@pytest.mark.parametrize("owner", ["UserEnrollment", "PersonalDeviceProfile", "Personal"])
def test_apps_of_personal_phones_are_counted(owner: str) -> None:
    data = encoded({**MOBILE, "general": {"displayName": "ipad-1", "deviceOwnershipType": owner}})
    found = one(data)
    assert found.items == ()
    assert found.runs[0].left_out == {"an app on a personal phone or tablet": 1}
    assert any(part.cause == "not_asked" and "--personal-apps" in part.remedy for part in found.unseen)


def test_they_are_listed_if_asked_for() -> None:
    import io

    data = encoded({**MOBILE, "general": {"displayName": "ipad-1", "deviceOwnershipType": "UserEnrollment"}})
    (found,) = read(io.BytesIO(data), "x.json", personal_apps=True)
    assert isinstance(found, Inventory)
    assert [item.name for item in found.items] == ["TikTok"]
    fleet = {
        "host": {
            "hostname": "phone-2",
            "platform": "ios",
            "mdm": {"enrollment_status": "On (personal)"},
            "software": [{"name": "TikTok", "version": "1", "source": "ios_apps", "bundle_identifier": TIKTOK}],
        }
    }
    (listed,) = read(io.BytesIO(encoded(fleet)), "x.json", personal_apps=True)
    counted = one(encoded(fleet))
    assert isinstance(listed, Inventory)
    assert len(listed.items) == 1
    assert counted.items == ()
    assert counted.runs[0].left_out == {"an app on a personal phone or tablet": 1}


def test_xml_of_the_classic_api() -> None:
    data = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<computer><general><name>m-1</name><serial_number>C02XL0THJG5H'
        "</serial_number></general><hardware><os_name>macOS</os_name><os_version>14.5</os_version></hardware><software>"
        "<applications><size>1</size><application><name>TikTok.app</name><version>9</version><bundle_id>"
        f"{TIKTOK}</bundle_id></application></applications></software></computer>"
    ).encode()
    found = one(data)
    assert (found.host.name, found.host.os_version) == ("m-1", "14.5")
    assert [(item.name, item.ids) for item in found.items] == [("TikTok", {"bundle_id": TIKTOK})]
    cut = one(data[: data.index(b"</computer>")])
    assert [item.name for item in cut.items] == ["TikTok"]
    assert cut.runs[0].status == "partial"


def test_hosts_of_kaspersky_security_center() -> None:
    host = {
        "KLHST_WKS_DN": "PC-3",
        "KLHST_WKS_OS_NAME": "Microsoft Windows 10",
        "KLHST_WKS_NAG_VERSION": "14.2.0.26967",
        "KLHST_WKS_RTP_AV_VERSION": "12.1.0.506",
    }
    unmanaged = {"KLHST_WKS_DN": "PC-4", "KLHST_WKS_NAG_VERSION": ""}
    chunk = [{"type": "params", "value": one_host} for one_host in (host, unmanaged)]
    first, second = read_bytes(encoded({"pChunk": {"KLCSP_ITERATOR_ARRAY": chunk}, "PxgRetVal": 2}))
    assert isinstance(first, Inventory)
    assert isinstance(second, Inventory)
    assert [(item.name, item.version) for item in first.items] == [
        ("Kaspersky Security Center Network Agent", "14.2.0.26967"),
        ("Kaspersky security application", "12.1.0.506"),
    ]
    assert (second.host.name, second.items) == ("PC-4", ())


def test_one_damaged_device_costs_itself() -> None:
    documents = read_bytes(encoded({"results": [MOBILE, 5, MOBILE]}))
    assert [isinstance(found, Inventory) for found in documents] == [True, False, True]
    assert "no inventory of a known kind" in broken(encoded({"results": []})).why


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["general", "applications", "udid", "software", "value", "results"]), JSON))
def test_odd_members_never_raise(members: dict[str, Any]) -> None:
    read_bytes(encoded({"udid": "x", "general": {}, "applications": [], **members}))
    read_bytes(encoded({"results": [members]}))
