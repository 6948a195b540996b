"""The files of docker compose and scripts/env, by the command `config`. No Docker engine is needed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.project import PROJECT

COMPOSE_1, COMPOSE_2 = ("docker-compose",), ("docker", "compose")


def compose(
    folder: Path, *arguments: str, command: tuple[str, ...] = COMPOSE_1
) -> "subprocess.CompletedProcess[str]":
    (folder / "ha").mkdir(exist_ok=True)  # docker-compose checks that it exists
    for name in ("docker-compose.yml", "docker-compose.ha.yml", "docker-compose.shards.yml"):
        shutil.copy(PROJECT / name, folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BUSWARE_")}
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_compose_reads_the_passwords_of_scripts_env(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "env", tmp_path / "scripts")
    (tmp_path / ".env").touch()
    without_passwords = compose(tmp_path, "config")
    assert without_passwords.returncode != 0
    assert "run scripts/env first" in without_passwords.stderr
    (tmp_path / ".env").unlink()

    subprocess.run([tmp_path / "scripts" / "env"], check=True, stdout=subprocess.DEVNULL)
    config = compose(tmp_path, "config")
    assert config.returncode == 0, config.stderr
    owner, server = re.findall(r"_PASSWORD=([0-9a-f]{32})\n", (tmp_path / ".env").read_text())
    assert owner != server
    for expected in (
        f"POSTGRES_PASSWORD: {owner}",
        f"BUSWARE_OWNER_URL: postgresql://busware_owner:{owner}@postgres:5432/busware",
        f"DATABASE_URL: postgresql://busware:{server}@postgres:5432/busware",
        'BUSWARE_SEED: "true"',
        "postgres:/var/lib/postgresql:rw",
    ):
        assert expected in config.stdout

    with (tmp_path / ".env").open("a") as settings:
        settings.write("BUSWARE_SEED=false\n")
    assert 'BUSWARE_SEED: "false"' in compose(tmp_path, "config").stdout


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_three_nodes_differ_in_names_and_volumes_only(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BUSWARE_OWNER_PASSWORD=owner\nBUSWARE_SERVER_PASSWORD=server\n")
    done = compose(tmp_path, "--file", "docker-compose.ha.yml", "config")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    nodes = [services.pop(name) for name in ("node1", "node2", "node3")]
    assert services.keys() == {"etcd", "haproxy", "server1", "server2"}
    for n, node in enumerate(nodes, 1):
        assert yaml.safe_load(yaml.safe_dump(node).replace(f"node{n}", "node1")) == nodes[0]
        assert services["haproxy"]["environment"][f"HA_NODE{n}"] == f"node{n}:5432"
    for name in ("server1", "server2"):
        settings = services[name]["environment"]
        assert settings["DATABASE_URL"] == "postgresql://busware:server@haproxy:5000/busware"
        assert settings["BUSWARE_READ_URL"].startswith(
            "postgresql://busware:server@node1,node2,node3/busware?"
        )


def test_shards_and_proxy_have_one_configuration(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BUSWARE_OWNER_PASSWORD=owner\nBUSWARE_SERVER_PASSWORD=server\n")
    if not shutil.which("docker") or compose(tmp_path, "version", command=COMPOSE_2).returncode != 0:
        pytest.skip("docker compose 2 is missing; .ci/run installs it")
    done = compose(tmp_path, "--file", "docker-compose.shards.yml", "config", command=COMPOSE_2)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    server = services.pop("server")
    databases = ("proxy", "shard1", "shard2")
    assert services.keys() == server["depends_on"].keys() == set(databases)
    volumes = [services[name].pop("volumes")[0] for name in databases]
    assert [volume["source"] for volume in volumes] == list(databases)
    build = services["proxy"].pop("build")["dockerfile_inline"]
    assert build.startswith(f"FROM {services['shard1']['image']}\n")
    for name in ("image", "pull_policy"):
        for database in databases:
            services[database].pop(name, None)
    assert services["proxy"] == services["shard1"] == services["shard2"]
    proxy, *shards = (f"postgresql://busware_owner:owner@{name}:5432/busware" for name in databases)
    assert server["environment"]["BUSWARE_OWNER_URL"] == proxy
    assert server["environment"]["BUSWARE_SHARDS"] == ",".join(shards)
    assert server["environment"]["DATABASE_URL"] == "postgresql://busware:server@proxy:5432/busware"


def test_scripts_env_keeps_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "env", tmp_path / "scripts")
    (tmp_path / ".env").write_text("mine")
    done = subprocess.run([tmp_path / "scripts" / "env"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert (tmp_path / ".env").read_text() == "mine"
