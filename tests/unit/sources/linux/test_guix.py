"""Profiles of Guix."""

from tests.support.harness import run
from tests.support.trees import Tree

PROFILE = f"/gnu/store/{'b' * 32}-profile"
MANIFEST = f"""\
;; This file was automatically generated.
(manifest (version 4) (packages (
 ("kesl" "12.1.0" "out" "/gnu/store/{"b" * 32}-kesl-12.1.0"
  (propagated-inputs (("klib" "1.0" "out" "/gnu/store/{"c" * 32}-klib-1.0"))) (search-paths ()))
 ("demo" "2" "out" "/gnu/store/{"d" * 32}-demo-2"
  (propagated-inputs ((repeated "klib" "1.0" "/gnu/store/{"c" * 32}-klib-1.0")))))))
"""


def test_a_profile_of_a_user(tree: Tree) -> None:
    tree.write(f"{PROFILE}/manifest", MANIFEST)
    tree.link("/var/guix/profiles/per-user/ada/guix-profile-1-link", PROFILE)
    tree.link("/var/guix/profiles/per-user/ada/guix-profile", "guix-profile-1-link")
    tree.link("/home/ada/.guix-profile", "/var/guix/profiles/per-user/ada/guix-profile")
    result = run("guix", tree.host())
    found = [(item.name, item.version, item.user, item.details.get("requested", "")) for item in result.items]
    assert found == [("demo", "2", "ada", ""), ("kesl", "12.1.0", "ada", ""), ("klib", "1.0", "ada", "no")]
    assert result.run.status == "ok"


def test_a_damaged_profile_and_a_store_without_one(tree: Tree) -> None:
    tree.write("/home/ada/.guix-profile/manifest", MANIFEST[:-20])
    result = run("guix", tree.host())
    assert (result.run.status, result.run.left_out) == ("partial", {"damaged": 1})
    tree.folder(f"{PROFILE}/bin")
    assert "/gnu/store" in {problem.where for problem in run("guix", tree.host()).problems}
