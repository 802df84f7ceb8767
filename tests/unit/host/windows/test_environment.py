"""Variables that the registry sets: which of them, and with what in them."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.environment import environment
from phaseout.parsers.windows.registry_values import Value

from tests.support.trees import WindowsTree

PATH = r"HKLM\SYSTEM\ControlSet001\Control\Session Manager\Environment"


def of(values: dict[str, Value]) -> dict[str, str]:
    return environment(registry_in_memory({PATH: values}).key(PATH), {"systemdrive": "C:"})


def test_variables_within_variables() -> None:
    values: dict[str, Value] = {
        "KL_HOME": r"%SystemDrive%\KL",
        "Tools": r"D:\Tools",
        "ACME_BIN": r"%TOOLS%\Acme\bin",
        "Unknown": r"%NOWHERE%\x",
        "SystemDrive": "Z:",
        "Number": 3,
    }
    assert of(values) == {
        "systemdrive": "C:",
        "kl_home": r"C:\KL",
        "tools": r"D:\Tools",
        "acme_bin": r"D:\Tools\Acme\bin",
        "unknown": r"%NOWHERE%\x",
    }
    assert environment(None, {"a": "b"}) == {"a": "b"}


def test_a_host_knows_the_variables_of_its_machine(windows_tree: WindowsTree) -> None:
    windows_tree.key(r"HKLM\SYSTEM\Select", {"Current": 1})
    windows_tree.key(PATH, {"KL_HOME": r"%SystemDrive%\KL"})
    assert windows_tree.host().variables["kl_home"] == r"C:\KL"


def test_nothing_grows_without_bound() -> None:
    values: dict[str, Value] = {"base": "x" * 1000, **{f"v{n}": f"%v{n - 1}%%v{n - 1}%" for n in range(1, 200)}}
    values |= {"v0": "%base%" * 100}
    assert all(len(value) <= 32_767 for value in of(values).values())
    many: dict[str, Value] = {f"v{n}": "x" for n in range(5000)}
    assert len(of(many)) == 2001


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.text(alphabet="%ab\\", max_size=8), st.integers())))
def test_arbitrary_variables(values: dict[str, Value]) -> None:
    assert of(values)["systemdrive"] == "C:"
