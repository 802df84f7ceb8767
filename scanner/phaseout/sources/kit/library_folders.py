"""The folders that others than macOS made in a folder `Library`, that of the machine or of a user.

References:
    Apple, "File System Programming Guide" (The Library Directory Stores App-Specific Files)
"""

from collections.abc import Iterator

from phaseout.host import Host

_OF_MACOS_TEXT = """
accessibility, accounts, apple, applemediaservices, application scripts, application support, assistant, assistants,
audio, autosave information, automator, biome, biomesync, bluetooth, bundles, caches, calendar, calendars,
callservices, catalogs, classroom, cloudstorage, colorpickers, colors, colorsync, components, compositions, contacts,
containermanager, containers, contextual menu items, cookies, coreanalytics, corefollowup, coremediaio,
daemon containers, daemondata, dataaccess, dataclass, datadeliveryservices, desktop pictures, developer, dictionaries,
directoryservices, documentation, donotdisturb, driverextensions, duetexpertcenter, extensions, facetime, favorites,
filesystems, finance, findmy, fontcollections, fonts, frameworks, gamekit, gpubundles, graphics, group containers,
homekit, httpstorages, icloud, identityservices, image capture, imovie, input methods, intelligenceplatform, intents,
internet accounts, internet plug-ins, itunes, java, kernelcollections, keyboard, keyboard layouts, keyboardservices,
keychains, languagemodeling, launchagents, launchdaemons, logs, mail, managed preferences, maps, mediaanalysis,
messages, metadata, mobile documents, mobiledevice, modem scripts, news, opendirectory, osanalytics, packages, passes,
pdf services, perl, personalizationportrait, personas, photos, preferencepanes, preferences, printers,
privatecloudcompute, privilegedhelpertools, python, quicklook, quicktime, receipts, reminders, responsekit, ruby,
safari, safarisandboxbroker, sandbox, saved application state, screen recordings, screen savers, scriptingadditions,
scripts, security, sharing, shortcuts, siri, sms, sounds, speech, spelling, spotlight, staged, stagedextensions,
startupitems, statuskit, stickers, stocks, suggestions, syncedpreferences, syncservices, systemextensions,
systemmigration, systemprofiler, translation, trial, unifiedassetframework, updates, user pictures, user template,
usernotifications, video, voices, voicetrigger, wallpaper, weather, weatherkit, webkit, webserver, widgets
"""
_OF_MACOS = frozenset(name.strip() for name in _OF_MACOS_TEXT.replace("\n", " ").split(","))


def is_of_macos(name: str) -> bool:
    """Whether macOS has a folder of this name in `Library`; some are guarded, and none is where others put programs."""
    return name.lower() in _OF_MACOS or name.lower().startswith("com.apple.")


def library_folders(host: Host) -> Iterator[tuple[str, str]]:
    """Each of these folders with its user."""
    for home, user in {"": "", **host.homes}.items():
        for name, kind in host.files.list(f"{home}/Library"):
            if kind == "dir" and not is_of_macos(name):
                yield f"{home}/Library/{name}", user
