"""Profiles of Nix: what is installed, and what only lies in the store."""

from tests.support.harness import run
from tests.support.trees import Tree

HASH = "b" * 32
KESL = f"/nix/store/{HASH}-kesl-12.1.0"
NIX = f'[ {{ meta = {{ homepage = "https://example.org"; }}; name = "kesl-12.1.0"; out = {{ outPath = "{KESL}"; }}; \
outPath = "{KESL}"; outputs = [ "out" ]; system = "x86_64-linux"; type = "derivation"; }} ]'
JSON = f'{{"elements":{{"kesl":{{"active":true,"originalUrl":"flake:x","storePaths":["{KESL}"]}}}},"version":3}}'


def test_the_present_generation_of_a_profile(tree: Tree) -> None:
    per_user = "/nix/var/nix/profiles/per-user/ada"
    tree.write(f"/nix/store/{HASH}-user-environment/manifest.nix", NIX)
    tree.write("/nix/store/" + "c" * 32 + "-user-environment/manifest.nix", NIX.replace("kesl", "old"))
    tree.link(f"{per_user}/profile-1-link", "/nix/store/" + "c" * 32 + "-user-environment")
    tree.link(f"{per_user}/profile-2-link", f"/nix/store/{HASH}-user-environment")
    tree.link(f"{per_user}/profile", "profile-2-link")
    tree.link("/home/ada/.nix-profile", f"{per_user}/profile")
    result = run("nix", tree.host())
    item = result.one("kesl")
    assert (item.version, item.user, item.path) == ("12.1.0", "ada", KESL)
    assert item.details["homepage"] == "https://example.org"
    assert result.names() == ["kesl"]
    assert result.run.status == "ok"


def test_a_profile_in_the_home_of_a_user(tree: Tree) -> None:
    tree.write(f"/nix/store/{HASH}-profile/manifest.json", JSON)
    tree.link("/home/ada/.local/state/nix/profiles/profile-1-link", f"/nix/store/{HASH}-profile")
    tree.link("/home/ada/.local/state/nix/profiles/profile", "profile-1-link")
    item = run("nix", tree.host()).one("kesl")
    assert (item.version, item.user, item.details["origin"]) == ("12.1.0", "ada", "flake:x")


def test_programs_of_a_system_of_nixos(tree: Tree) -> None:
    system = f"/nix/store/{HASH}-nixos-system-x-24.05"
    tree.link("/nix/var/nix/profiles/system-3-link", system)
    tree.link("/nix/var/nix/profiles/system", "system-3-link")
    tree.link(f"{system}/sw", f"/nix/store/{HASH}-system-path")
    tree.link(f"/nix/store/{HASH}-system-path/bin/kesl-control", f"{KESL}/bin/kesl-control")
    tree.link(f"/nix/store/{HASH}-system-path/bin/kesl", f"{KESL}/bin/kesl")
    result = run("nix", tree.host())
    assert [(item.name, item.version, item.user) for item in result.items] == [("kesl", "12.1.0", "")]
    assert result.run.status == "ok"


def test_a_store_that_no_profile_explains(tree: Tree) -> None:
    tree.folder(KESL)
    (problem,) = run("nix", tree.host()).problems
    assert (problem.where, problem.cause) == ("/nix/store", "missing")


def test_a_damaged_profile(tree: Tree) -> None:
    tree.write("/nix/var/nix/profiles/default/manifest.json", "[")
    tree.write("/nix/var/nix/profiles/default/manifest.nix", "throw 1")
    result = run("nix", tree.host())
    assert result.run.left_out == {"damaged": 2}
