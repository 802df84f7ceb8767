"""Where Firefox, Thunderbird and related programs are installed, and where an administrator sets them up.

References:
    https://support.mozilla.org/kb/customizing-firefox-using-policiesjson (`distribution` beside the program, and /etc);
    https://mozilla.github.io/policy-templates/ (domains of macOS)
"""

PROGRAMS: dict[str, dict[str, str]] = {
    "linux": {
        "/usr/lib/firefox": "Firefox",
        "/usr/lib64/firefox": "Firefox",
        "/usr/lib/firefox-esr": "Firefox",
        "/opt/firefox": "Firefox",
        "/snap/firefox/current/usr/lib/firefox": "Firefox",
        "/usr/lib/thunderbird": "Thunderbird",
        "/usr/lib64/thunderbird": "Thunderbird",
        "/usr/share/librewolf": "LibreWolf",
        "/usr/lib/librewolf": "LibreWolf",
    },
    "macos": {
        f"/Applications/{name}.app/Contents/Resources": name
        for name in ("Firefox", "Thunderbird", "LibreWolf", "Waterfox", "Zen")
    },
    "windows": {
        r"C:\Program Files\Mozilla Firefox": "Firefox",
        r"C:\Program Files (x86)\Mozilla Firefox": "Firefox",
        r"C:\Program Files\Mozilla Thunderbird": "Thunderbird",
        r"C:\Program Files (x86)\Mozilla Thunderbird": "Thunderbird",
        r"C:\Program Files\LibreWolf": "LibreWolf",
    },
}
POLICIES = {
    "/etc/firefox/policies/policies.json": "Firefox",
    "/etc/firefox-esr/policies/policies.json": "Firefox",
    "/etc/thunderbird/policies/policies.json": "Thunderbird",
}
DOMAINS = {
    "/Library/Managed Preferences/org.mozilla.firefox.plist": "Firefox",
    "/Library/Preferences/org.mozilla.firefox.plist": "Firefox",
    "/Library/Preferences/org.mozilla.thunderbird.plist": "Thunderbird",
}
