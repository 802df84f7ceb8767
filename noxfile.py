"""What a developer runs: `nox` is the quick lane, `nox -s check` everything that must hold, `nox -s live` on request.

References:
    https://nox.thea.codes/en/stable/config.html
"""

import nox

nox.options.sessions = ["quick"]
nox.options.reuse_venv = "yes"
_SYSTEMS = ("linux", "darwin", "win32")


@nox.session
def quick(session: nox.Session) -> None:
    """Tests that take under a minute on two cores, with a fifth of the examples that are made up elsewhere."""
    session.install("-q", "-e", ".[dev]")
    options = ("-n", "2", "--dist", "loadfile", "--hypothesis-profile", "quick", "-m", "not slow")
    session.run("python", "-m", "pytest", "-q", *options, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Lint, format and layers."""
    session.install("-q", "-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Types for the three systems, and of the scripts."""
    session.install("-q", "-e", ".[dev]")
    session.run("mypy")
    for system in _SYSTEMS[1:]:
        session.run("mypy", "--platform", system, "--package", "phaseout")
    session.run("mypy", "scripts", "noxfile.py")


@nox.session
def check(session: nox.Session) -> None:
    """Everything that CI runs."""
    session.run("bash", ".ci/run", external=True)


@nox.session
def live(session: nox.Session) -> None:
    """Tests that need a live system, in mount namespaces of their own; as root."""
    session.install("-q", "-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", "-m", "live", *session.posargs, env={"PHASEOUT_LIVE": "1"})
