"""Programs built by `cargo install`: both forms of its notes, damage, and cargo itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree
from tests.unit.parsers.languages.test_cargo_crates import JSON, REGISTRY, TOML


def test_a_crate(tree: Tree) -> None:
    tree.write("/home/ada/.cargo/.crates2.json", JSON)
    tree.write("/home/ada/.cargo/.crates.toml", TOML)
    (item,) = run("cargo_binaries", tree.host()).items
    assert (item.kind, item.name, item.version, item.user) == ("library", "ripgrep", "13.0.0", "ada")
    assert item.path == "/home/ada/.cargo/bin/rg"
    assert item.ids == {"purl": "pkg:cargo/ripgrep@13.0.0"}
    assert item.details == {"language": "Rust", "origin": REGISTRY, "programs": "rg"}


def test_the_older_file_alone(tree: Tree) -> None:
    tree.write("/home/ada/.cargo/.crates.toml", TOML)
    assert run("cargo_binaries", tree.host()).names() == ["ripgrep"]


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Users\ada\.cargo\.crates2.json", JSON)
    (item,) = run("cargo_binaries", windows_tree.host()).items
    assert item.path == r"C:\Users\ada\.cargo\bin\rg"


def test_damage_costs_a_problem_and_the_other_file_is_read(tree: Tree) -> None:
    tree.write("/home/ada/.cargo/.crates2.json", JSON[:-5])
    tree.write("/home/ada/.cargo/.crates.toml", TOML)
    tree.write("/root/.cargo/.crates2.json", '{"installs": {"": {}}}')
    result = run("cargo_binaries", tree.host())
    assert result.names() == ["ripgrep"]
    assert result.run.left_out == {"damaged": 2}
    assert {problem.where for problem in result.problems} == {
        "/root/.cargo/.crates2.json",
        "/home/ada/.cargo/.crates2.json",
    }


@pytest.mark.slow
def test_what_cargo_writes(tree: Tree, tmp_path: Path) -> None:
    cargo = shutil.which("cargo")
    if cargo is None:
        pytest.skip("no cargo here")
    made = tmp_path / "made"
    (made / "src").mkdir(parents=True)
    (made / "Cargo.toml").write_text('[package]\nname = "made"\nversion = "0.4.2"\nedition = "2021"\n')
    (made / "src" / "main.rs").write_text("fn main() {}\n")
    root = tree.folder("/home/ada/.cargo")
    answer = subprocess.run(
        [cargo, "install", "--offline", "--path", str(made), "--root", str(root)], capture_output=True, check=False
    )
    if answer.returncode:
        pytest.skip("cargo cannot build here")
    (item,) = run("cargo_binaries", tree.host()).items
    assert (item.name, item.version) == ("made", "0.4.2")
    assert item.details["origin"].startswith("path+file://")
    assert (tree.root / item.path.lstrip("/")).is_file()
