"""The vendor files besides Kaspersky's: every attested identifier is in them, and nobody else's program is matched."""

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from phaseout.model.nouns import Item, Kind
from phaseout.model.rules import Match, Specimen, Vendor
from phaseout.rules.load import load
from phaseout.rules.matcher import Matcher
from phaseout.rules.normalise import normal
from phaseout.rules.normalise import vendor as company

from tests.support.places import CORPORA

FOLDER = Path(__file__).parents[3] / "rules" / "vendors"
VENDORS = (
    *("1c", "acronis", "alibaba", "autel", "baidu", "bytedance", "dahua", "deepseek", "dji", "douban", "drweb"),
    *("grammarly", "group-ib", "hikvision", "hisense", "huawei", "hytera", "iflytek", "intsig", "kingsoft"),
    *("manus", "meituan", "minimax", "moomoo", "moonshot", "pdd", "positive-technologies", "qihoo", "rednote"),
    *("sensetime", "shareit", "shein", "stepfun", "tencent", "tiger-brokers", "tp-link", "uniview", "vk"),
    *("vmate", "webull", "weibo", "xiaomi", "yandex", "zhihu", "zhipu", "zte"),
)
KNOWLEDGE = CORPORA.parent / "knowledge"
EQUIPMENT = ("autel", "dahua", "dji", "hikvision", "hisense", "huawei", "hytera", "tp-link", "uniview", "zte")

# The identifiers in each cell of the list of facts whose grade, A or B, lets them stand alone: vendor, how the cell
# begins, and what is in it.
IDENTIFIERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("tencent", "5A4RE8SF68 (WeChat)", ("5A4RE8SF68",)),
    ("tencent", "88L2Q4487U (TencentMeeting)", ("88L2Q4487U",)),
    ("tencent", "FN2V63AD2J (group container", ("FN2V63AD2J",)),
    (
        *("tencent", "com.tencent.xinWeChat (.MiniProgram"),
        (
            *("com.tencent.xinWeChat", "com.tencent.xinWeChat.MiniProgram", "com.tencent.xinWeChat.WeChatMacShare"),
            "com.tencent.xinWeChat.IPCHelper",
        ),
    ),
    ("tencent", "com.tencent.qq", ("com.tencent.qq",)),
    ("tencent", "com.tencent.meeting, ", ("com.tencent.meeting", "com.tencent.wemeet.FileDelta")),
    (
        *("tencent", "com.tencent.tencentmeeting (VooV), "),
        (
            *("com.tencent.tencentmeeting", "com.tencent.WeWorkMac", "com.tencent.Lemon", "com.tencent.QQMusicMac"),
            *("com.tencent.tenvideo", "com.tencent.mac.tdappdesktop", "com.tencent.wechat.devtools"),
            "com.tencent.QQBrowser",
        ),
    ),
    (
        *("tencent", "TencentWeChatLimited.forWindows10_"),
        ("TencentWeChatLimited.forWindows10_sdtnhv12zgd7a", "TencentWeChatLimited.WeChatUWP_sdtnhv12zgd7a"),
    ),
    ("tencent", "Tencent Technology (Shenzhen)", ("Tencent Technology (Shenzhen) Company Limited",)),
    (
        *("tencent", "TsQBDrv, "),
        (
            *("TsQBDrv", "QQProtect", "QQProtectX64", "CGProtect", "ACE-BASE", "ACE-GAME", "TenRSafe2", "tesxporter"),
            *("tesxnginx", "TesMon", "QQSysMon", "QQSysMonX64", "TSysCare", "TFsFlt"),
        ),
    ),
    (
        *("tencent", "com.qq.weixin.deepin, "),
        ("com.qq.weixin.deepin", "com.qq.im.deepin", "com.qq.weixin.work.deepin", "com.tencent.wechat"),
    ),
    (
        *("tencent", "WeChat, QQ, "),
        ("WeChat", "QQ", "WeMeet", "VooVMeeting", "TencentMeetingRooms", "qqlive", "TDAppDesktop", "EDU"),
    ),
    ("bytedance", "XY6NLV7YTS", ("XY6NLV7YTS",)),
    ("bytedance", "com.electron.lark, ", ("com.electron.lark", "com.bytedance.lark.helper")),
    ("bytedance", "com.bot.pc.doubao ", ("com.bot.pc.doubao", "com.trae.app", "com.lemon.lvoverseas")),
    ("bytedance", "BytedancePte.Ltd.TikTok_", ("BytedancePte.Ltd.TikTok_6yccndn6064se",)),
    ("bytedance", r"TikTok LIVE Studio\<ver>", ("*/TikTok LIVE Studio/*", "TikTok LIVE Studio.exe")),
    ("bytedance", "SealProtect.sys", ("SealProtect.sys",)),
    ("deepseek", "ai.deepseek.dsh.desktop", ("ai.deepseek.dsh.desktop", "UM3Z9G5DNH")),
    (
        *("deepseek", "1bf39983-"),
        ("1bf39983-50d0-5fe0-9ef4-cece76f67c5e", "*/AppData/Local/Programs/DeepSeek Harness/*"),
    ),
    ("huawei", "EdrDriver.sys", ("EdrDriver.sys",)),
    (
        *("huawei", r"C:\Program Files\Huawei\PCManager"),
        (
            *(r"C:\Program Files\Huawei\PCManager\MateBookService.exe", "MBAMessageCenter.exe", "MBAMainService"),
            "*/Huawei/PCManager*",
        ),
    ),
    (
        *("huawei", r"C:\Program Files (x86)\Mobile Partner"),
        (r"C:\Program Files (x86)\Mobile Partner\Mobile Partner.exe", "*/ProgramData/DatacardService/*"),
    ),
    (
        *("huawei", "Hi Suite, "),
        (
            *("Hi Suite", "MobileCloud", "IdeaShare", "Project", "Huawei HuaweiBrowser", "PCMigration"),
            *("{6C2B15DC-BDC4-4CCC-AB99-5EF14D2FBCFC}_is1", "{BE219E3C-4246-497E-B418-D2FE44D909F3}_is1"),
        ),
    ),
    (
        *("hikvision", r"C:\Program Files (x86)\iVMS-4200 Site"),
        (
            r"C:\Program Files (x86)\iVMS-4200 Site\iVMS-4200 Client\Client\iVMS-4200.Framework.C.exe",
            *("iVMS-4200.Framework.S.exe", "CrashServerDamon.exe"),
        ),
    ),
    ("dahua", "SmartPSSLite ", ("SmartPSSLite 1.003.0000006.0", "Dahua Technology Co.,Ltd", "SmartPSSLite")),
    (
        *("dahua", r"C:\Program Files (x86)\Smart Professional"),
        (r"C:\Program Files (x86)\Smart Professional Surveillance System\SmartPSS\SmartPSS.exe",),
    ),
    ("dji", "DJIService.exe ; ", ("DJIService.exe", "SZ DJI Technology Co., Ltd.")),
    ("dji", "{3121DF3D-", ("{3121DF3D-C549-42BF-AF01-168919638784}_is1",)),
)
RESTRICTED = "windows_programs_restricted_like.csv"

# The folders of restricted vendors in the winget repository, judged by name and publisher.
JUDGED: dict[tuple[str, str], str | None] = {
    ("ArtHub", "ArtHub, Inc."): "tencent-arthub",
    ("CapCut", "Bytedance Pte. Ltd."): "bytedance-capcut",
    ("Cloud", "Huawei Technologies Co., Ltd."): "huawei-cloud-drive",
    ("COSCLI", "Tencent Cloud"): "tencent-other",
    ("DevEco Studio", "Huawei"): "huawei-developer-tools",
    ("DJI Assistant 2 (Consumer Drones Series)", "DJI"): "dji-assistant-2",
    ("DJI Assistant 2 For Autopilot", "DJI"): "dji-assistant-2",
    ("DJI Assistant 2 For Battery Station", "DJI"): "dji-assistant-2",
    ("DJI Assistant 2 For Mavic", "DJI"): "dji-assistant-2",
    ("DJI Assistant 2 For Phantom", "DJI"): "dji-assistant-2",
    ("Foxmail", "腾讯公司"): "tencent-other",
    ("HiSuite", "Huawei Technologies Co., Ltd."): "huawei-hisuite",
    ("HUAWEI Browser", "Huawei Software Technologies Co., Ltd."): "huawei-browser",
    ("Huawei QuickApp IDE", "Huawei Corporation"): "huawei-developer-tools",
    ("HuaweiPCAssistant", "Huawei"): "huawei-developer-tools",
    ("Lark", "Lark Technologies Pte. Ltd."): "bytedance-lark",
    ("PC Clone", "Huawei Device Co., Ltd."): "huawei-pc-clone",
    ("QQ小程序开发者工具 version 0.70.2208290_x64", "Tencent"): "tencent-other",
    ("QQ小程序开发者工具 version 0.70.2209190_x64", "Tencent"): "tencent-other",
    ("QQ影像", "腾讯科技（深圳）有限公司"): "tencent-media",
    ("QQ影音", "腾讯科技（深圳）有限公司"): "tencent-media",
    ("QQ浏览器", "腾讯科技（深圳）有限公司"): "tencent-other",
    ("QQ音乐", "腾讯科技（深圳）有限公司"): "tencent-media",
    ("Tencent Meeting", "Tencent Technology (Shenzhen) Co. Ltd."): "tencent-meeting",
    ("TIM", "腾讯科技(深圳)有限公司"): "tencent-qq",
    ("TranSmart", "Tencent AI Lab"): "tencent-other",
    ("WeiyunApp", "tencent.com"): "tencent-other",
    ("Welink", "Huawei Technologies Co., Ltd."): "huawei-welink",
    ("wewechat", "trazyn"): None,  # a client by somebody else
    ("全民K歌", "腾讯科技（深圳）有限公司"): "tencent-media",
    ("应用宝", "腾讯公司"): "tencent-other",
    ("微云同步助手", "腾讯科技(深圳)有限公司"): "tencent-other",
    ("微信输入法", "腾讯科技(深圳)有限公司"): "tencent-other",  # an input method, not WeChat
    ("腾讯QQ", "腾讯科技(深圳)有限公司"): "tencent-qq",
    ("腾讯企点", "腾讯科技(深圳)有限公司"): "tencent-other",
    ("腾讯桌面整理", "腾讯科技（深圳）有限公司"): "tencent-other",
    ("腾讯视频", "腾讯科技(深圳)有限公司"): "tencent-media",
    ("腾讯课堂", "Tencent"): "tencent-other",
    ("西瓜视频", "北京抖音信息服务有限公司"): "bytedance-douyin",
    ("豆包", "Beijing Chuntian Zhiyun Technology Co., Ltd."): "bytedance-doubao",
}

# What the list of ordinary programs holds of these vendors all the same, under folders that it was not searched for.
SUBSIDIARIES = {"devicelock inc": "acronis", "sogou ltd.": "tencent"}
NOT_ORDINARY: dict[tuple[str, str], str] = {
    ("360 Zip", "360 Security Center"): "qihoo-other",
    ("360企业安全浏览器", "360安全中心"): "qihoo-browser",
    ("360极速浏览器", "360安全中心"): "qihoo-browser",
    ("360清理大师", "360安全中心"): "qihoo-other",
    ("MIUI+", "小米科技有限责任公司"): "xiaomi-miui-plus",
    ("Yandex Messenger", "Yandex.Chats"): "yandex-other",
    ("Yandex.Disk", "Yandex"): "yandex-disk",
    ("手心输入法", "360.cn"): "qihoo-other",
    ("优酷", "Youku.com"): "alibaba-other",
    ("Acronis Cyber Protect Home Office", "Acronis"): "acronis-cyber-protect-home-office",
    ("AliMail", "阿里邮箱"): "alibaba-other",
    ("DingTalk", "Alibaba (China) Network Technology Co.,Ltd."): "alibaba-dingtalk",
    ("DingTalk Lite", "Alibaba (China) Network Technology Co.,Ltd."): "alibaba-dingtalk",
    ("TeraBox", "Flextech Inc."): "baidu-terabox",
    ("UC网盘", "UC"): "alibaba-drive",
    ("夸克", "Quark"): "alibaba-drive",
    ("夸克网盘", "Quark"): "alibaba-drive",
    ("支付宝开放平台密钥工具", "Alipay"): "alibaba-alipay",
    ("百度AI同传会议版", "Baidu Translate"): "baidu-other",
    ("百度文库", "Baidu.com, Inc."): "baidu-other",
    ("百度翻译", "Baidu Translate"): "baidu-other",
    ("百度语音输入", "百度在线网络技术（北京）有限公司"): "baidu-input",
    ("百度输入法", "百度在线网络技术（北京）有限公司"): "baidu-input",
    ("金山会议", "Kingsoft Corp"): "kingsoft-other",
    ("金山打字通", "Kingsoft Office Software Corporation"): "kingsoft-other",
    ("金山文档", "Kingsoft Corp."): "kingsoft-other",
    ("阿里云盘", "Alibaba Group"): "alibaba-drive",
}
BUNDLES = {
    "com.lemon.lvpro": "bytedance-jianying",
    "com.alibaba.DingTalkInstaller": "alibaba-dingtalk",
    "com.alibaba.DingTalkMac": "alibaba-dingtalk",
    "com.baidu.inputmethod.*": "baidu-input",
    "com.baidu.netdiskmac": "baidu-netdisk",
    "com.dingtalk.mac": "alibaba-dingtalk",
    "com.kingsoft.wpsoffice.mac.global": "kingsoft-wps-office",
    "com.tencent.Lemon": "tencent-other",
    "com.youku.mac": "alibaba-other",
    "com.tencent.LemonUpdate": "tencent-other",
    "com.tencent.QQMusicMac": "tencent-media",
    "com.tencent.mac.tdappdesktop": "tencent-other",
    "com.tencent.meeting": "tencent-meeting",
    "com.tencent.qq": "tencent-qq",
    "com.tencent.rqd": "tencent-other",
    "com.tencent.tencentmeeting": "tencent-meeting",
    "com.tencent.tenvideo": "tencent-media",
    "com.tencent.xinWeChat": "tencent-wechat",
    "ru.yandex.desktop.PuntoSwitcher": "yandex-other",
    "ru.yandex.desktop.PuntoSwitcher.UninstallReporter": "yandex-other",
    "ru.yandex.desktop.PuntoSwitcher.UninstallReporter.Job.pkg": "yandex-other",
    "ru.yandex.desktop.PuntoSwitcher.UninstallReporter.pkg": "yandex-other",
    "ru.yandex.desktop.disk.screenshots": "yandex-disk",
    "ru.yandex.desktop.disk2": "yandex-disk",
}
TEAMS = {
    ("Acronis Cyber Protect Connect", "ZU2TV78AA6"): "acronis-cyber-protect-connect",
    ("Acronis Cyber Protect Connect Agent", "ZU2TV78AA6"): "acronis-cyber-protect-connect",
    ("WeChat", "5A4RE8SF68"): "tencent-wechat",
}
COMPANIES = (
    *("360 software", "acronis", "alibaba", "baidu", "bytedance", "doctor web", "group-ib", "huawei", "kingsoft"),
    *("positive technologies", "qihoo", "tencent", "yandex"),
)
KINDS: dict[str, Kind] = {
    "linux-package": "package",
    "windows-package": "package",
    "windows-arp": "program",
    "windows-process": "process",
    "mac-app": "app",
    "pypi": "library",
    "chrome-ext": "extension",
}


@cache
def vendors() -> dict[str, Vendor]:
    rules = load({f"vendors/{name}.toml": (FOLDER / f"{name}.toml").read_bytes() for name in VENDORS})
    return {vendor.id: vendor for vendor in rules.vendors}


@cache
def matcher() -> Matcher:
    return Matcher(load({f"vendors/{name}.toml": (FOLDER / f"{name}.toml").read_bytes() for name in VENDORS}))


def found(item: Item) -> list[str]:
    return [hit.product.id for hit in matcher().match([item])]


def of_specimen(one: Specimen) -> Item:
    return Item(
        kind=one.kind,
        name=one.name,
        vendor=one.vendor,
        version=one.version,
        path=one.path,
        command=one.command,
        signer=one.signer,
        ids=one.ids,
    )


def rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        pytest.skip(f"the list is not here: {path}")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def patterns(match: Match) -> dict[str, tuple[str, ...]]:
    fields = {name: getattr(match, name) for name in ("name", "vendor", "path", "command", "signer")}
    fields |= {f"ids.{key}": value for key, value in match.ids.items()}
    return {name: (value,) if isinstance(value, str) else value for name, value in fields.items() if value}


def blocks(vendor: Vendor) -> Iterator[Match]:
    for product in vendor.product:
        yield from product.match


def texts(vendor: Vendor) -> set[str]:
    """Every pattern and every value of a hit specimen of a vendor file, in the normal spelling."""
    known = {*vendor.publishers, *vendor.signers, *vendor.team_ids}
    for match in blocks(vendor):
        known |= {pattern for values in patterns(match).values() for pattern in values}
    for product in vendor.product:
        for one in product.hit:
            known |= {one.name, one.vendor, one.path, one.command, one.signer, *one.ids.values()}
    return {normal(text) for text in known}


def facts(*grades: str) -> list[tuple[str, str]]:
    listed = rows(KNOWLEDGE / "other_vendor_identifiers.csv")
    return [
        (row["vendor"].lower(), row["value"])
        for row in listed
        if row["grade"] in grades and row["vendor"].lower() in VENDORS
    ]


def test_every_file_is_one_of_these_or_kaspersky() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} - {"kaspersky"} == set(VENDORS)


def test_every_vendor_and_every_block_says_where_it_is_from() -> None:
    for vendor in vendors().values():
        assert vendor.references, vendor.id
        assert vendor.remove, vendor.id
        assert all(match.reference for match in blocks(vendor)), vendor.id


def test_programs_for_covered_equipment_are_never_the_covered_thing() -> None:
    for name in EQUIPMENT:
        assert {product.role for product in vendors()[name].product} <= {"indicator", "vendor"}, name


def test_products_are_named_after_their_vendor() -> None:
    for vendor in vendors().values():
        assert all(product.id.startswith(f"{vendor.id}-") for product in vendor.product), vendor.id
        assert sum(product.role == "vendor" for product in vendor.product) <= 1, vendor.id


@pytest.mark.parametrize("name", VENDORS)
def test_hit_specimens_show_their_product_and_no_other(name: str) -> None:
    for product in vendors()[name].product:
        for one in product.hit:
            assert found(of_specimen(one)) == [product.id], one


@pytest.mark.parametrize("name", VENDORS)
def test_miss_specimens_do_not_show_the_product(name: str) -> None:
    for product in vendors()[name].product:
        for one in product.miss:
            assert product.id not in found(of_specimen(one)), one


def test_every_attested_identifier_is_named() -> None:
    unread = facts("A", "B")
    for name, start, identifiers in IDENTIFIERS:
        cell = next((one for one in unread if one[0] == name and one[1].startswith(start)), None)
        assert cell is not None, f"the list of facts has no longer: {name}, {start}"
        unread.remove(cell)
        known = texts(vendors()[name])
        missing = [identifier for identifier in identifiers if normal(identifier) not in known]
        assert not missing, f"{name}: {cell[1]}"
    assert not unread, "the list of facts has more than this test knows"


def test_a_pattern_that_stands_alone_in_its_block_finds_something() -> None:
    for name in VENDORS:
        for match in blocks(vendors()[name]):
            for field, values in patterns(match).items():
                if len(patterns(match)) > 1 or any(value.startswith("@") for value in values):
                    continue
                for value in values:
                    item = made(match, field, value.replace("*", "x" if field.startswith("ids") else ""))
                    assert any(found(item)), (name, field, value)


def made(match: Match, field: str, value: str) -> Item:
    kinds: tuple[Kind, ...] = (match.kind,) if isinstance(match.kind, str) else match.kind
    item = Item(kind=kinds[0] if kinds else "process", name="x")
    if field.startswith("ids."):
        return Item(kind=item.kind, name="x", ids=dict.fromkeys(match.ids, value))
    return Item(
        kind=item.kind,
        name=value if field == "name" else "x",
        vendor=value if field == "vendor" else "",
        path=value if field == "path" else "",
        command=value if field == "command" else "",
        signer=value if field == "signer" else "",
    )


def test_what_was_not_found_or_not_to_be_used_is_in_no_pattern() -> None:
    for _, cell in facts("X", "U"):
        for vendor in vendors().values():
            for match in blocks(vendor):
                for values in patterns(match).values():
                    assert all(normal(cell) not in normal(value) for value in values), vendor.id


def test_a_weak_identifier_never_stands_alone() -> None:
    weak = facts("C")
    assert weak == [("zte", "ZTE Handset USB Driver / ZTE Android USB Driver")]
    assert found(Item(kind="program", name="ZTE Handset USB Driver")) == []
    assert found(Item(kind="program", name="ZTE Android USB Driver", vendor="somebody")) == []
    assert found(Item(kind="program", name="ZTE Android USB Driver", vendor="ZTE Corporation")) == ["zte-usb-driver"]


def test_each_program_under_a_restricted_vendors_folder_is_judged(corpora: Path) -> None:
    listed = [(row["display_name"], row["publisher"]) for row in rows(corpora / "names" / RESTRICTED)]
    assert sorted(listed) == sorted(JUDGED)
    for name, publisher in listed:
        expected = JUDGED[name, publisher]
        ids = found(Item(kind="program", name=name, vendor=publisher))
        assert ids == ([] if expected is None else [expected]), name


def test_ordinary_programs_are_not_matched(corpora: Path) -> None:
    listed = rows(corpora / "names" / "windows_programs_ordinary.csv")
    items = [Item(kind="program", name=row["display_name"], vendor=row["publisher"]) for row in listed]
    hits = {(items[hit.item].name, items[hit.item].vendor): hit.product.id for hit in matcher().match(items)}
    assert len(items) > 5_000
    assert hits == NOT_ORDINARY


def test_ordinary_bundle_ids_are_not_matched(corpora: Path) -> None:
    listed = rows(corpora / "names" / "macos_bundle_ids.csv")
    items = [Item(kind="app", name="", ids={"bundle_id": row["bundle_id_candidate"]}) for row in listed]
    hits = {items[hit.item].ids["bundle_id"]: hit.product.id for hit in matcher().match(items)}
    assert len(items) > 1_000
    assert hits == BUNDLES


def test_ordinary_team_ids_are_not_matched(corpora: Path) -> None:
    listed = rows(corpora / "names" / "macos_team_ids.csv")
    items = [Item(kind="app", name=row["name"], ids={"team_id": row["expectedTeamID"]}) for row in listed]
    hits = {(items[hit.item].name, items[hit.item].ids["team_id"]): hit.product.id for hit in matcher().match(items)}
    assert hits == TEAMS


def test_filter_drivers_are_found_by_their_makers_only(corpora: Path) -> None:
    listed = rows(corpora / "names" / "windows_minifilter_drivers.csv")
    items = [Item(kind="driver", name=row["driver"], vendor=row["company"]) for row in listed]
    hits = matcher().match(items)
    for hit in hits:
        maker = items[hit.item].vendor.lower()
        publishers = {company(name) for name in hit.vendor.publishers}
        assert hit.vendor.id in maker or company(maker) in publishers or hit.vendor.id == SUBSIDIARIES.get(maker), maker
    seen = {hit.item for hit in hits}
    for index, item in enumerate(items):
        if any(company in item.vendor.lower() for company in COMPANIES):
            assert index in seen, item


def test_known_traps_are_not_matched() -> None:
    for row in rows(KNOWLEDGE / "false_positive_traps.csv"):
        kind = KINDS.get(row["kind"], "file")
        for part in re.split(r", | / ", row["value"]):
            item = Item(kind=kind, name=part, path=part if "/" in part or "\\" in part else "")
            assert found(item) == [], row
