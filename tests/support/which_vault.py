"""A line in the summary of a test run: which Vault it had."""

import pytest

from tests.support.vaults import real_version


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the server, or say that there is none."""
    version = real_version()
    if version is None:
        terminalreporter.write_line(
            "Vault: the stand-in alone, since there is no server here (`make vault` builds one)"
        )
    else:
        terminalreporter.write_line(f"Vault: {version}; the contract tests also had the stand-in")
