"""Programs of npm and pip, which a test installs in a folder of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Versions for Node.js 18 (Debian 12) and newer.
REDOCLY = "@redocly/cli@1.34.5"
SPECTRAL = "@stoplight/spectral-cli@6.15.0"
AXE = "axe-core@4.11.0"
RELEASED_BEFORE = "2025-11-01"  # also the packages on which these depend
PROGRAM_SECONDS = 300  # limit of a program, such as an installation


def environment(folder: Path) -> dict[str, str]:
    """The environment of a program that finds the programs of npm and of Python in a folder.

    It sends no telemetry.
    """
    return {
        **os.environ,
        "PATH": f"{folder}/node_modules/.bin:{folder}/bin:{os.environ['PATH']}",
        "npm_config_cache": str(folder / "npm_cache"),
        "npm_config_before": RELEASED_BEFORE,
        "npm_config_ignore_scripts": "true",
        "npm_config_package_lock": "false",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    }


def install(folder: Path, *packages: str) -> None:
    """Install packages of npm in a folder; skip the test if that is impossible."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: apt install nodejs npm")
    run_installation(folder, "npm", "install", *packages)


def run_installation(folder: Path, *command: str) -> None:
    """Run a command that installs packages; skip the test if it fails or takes too long."""
    try:
        done = run(folder, *command)
    except subprocess.TimeoutExpired as error:
        pytest.skip(str(error))
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr[-500:]}")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, in which it has been installed. Raises TimeoutExpired."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=PROGRAM_SECONDS,
    )
