"""docker-compose.yml and scripts/env: what docker-compose understands of them. No engine is needed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import PROJECT


def compose(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    shutil.copy(PROJECT / "docker-compose.yml", folder)
    known = {name: value for name, value in os.environ.items() if not name.startswith("BUSWARE_")}
    return subprocess.run(
        ["docker-compose", *arguments], cwd=folder, env=known, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="there is no docker-compose")
def test_compose_understands_the_file_with_what_scripts_env_has_written(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "env", tmp_path / "scripts")
    (tmp_path / ".env").touch()
    without = compose(tmp_path, "config")
    assert without.returncode != 0
    assert "run scripts/env first" in without.stderr
    (tmp_path / ".env").unlink()

    subprocess.run([tmp_path / "scripts" / "env"], check=True, stdout=subprocess.DEVNULL)
    understood = compose(tmp_path, "config")
    assert understood.returncode == 0, understood.stderr
    owner, server = re.findall(r"_PASSWORD=([0-9a-f]{32})\n", (tmp_path / ".env").read_text())
    assert owner != server
    for expected in (
        f"POSTGRES_PASSWORD: {owner}",
        f"BUSWARE_OWNER_URL: postgresql://busware_owner:{owner}@postgres:5432/busware",
        f"DATABASE_URL: postgresql://busware:{server}@postgres:5432/busware",
        'BUSWARE_SEED: "true"',
        "postgres:/var/lib/postgresql:rw",
    ):
        assert expected in understood.stdout

    with (tmp_path / ".env").open("a") as settings:
        settings.write("BUSWARE_SEED=false\n")
    assert 'BUSWARE_SEED: "false"' in compose(tmp_path, "config").stdout


def test_scripts_env_leaves_an_env_alone(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "env", tmp_path / "scripts")
    (tmp_path / ".env").write_text("mine")
    told = subprocess.run([tmp_path / "scripts" / "env"], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "is there already" in told.stderr
    assert (tmp_path / ".env").read_text() == "mine"
