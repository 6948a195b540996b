"""The files of docs/operations: the alert rules, the dashboard and the unit of systemd.

Each metric, label and value that they name exists in the /metrics of a running server. promtool (Debian's
package prometheus) checks the expressions, and systemd-analyze (systemd) checks the unit.
"""

import configparser
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from busware.server import protocol, supervisor
from busware.server.embedded import process as embedded_process
from busware.server.installation import EXIT_USAGE
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

FOLDER = PROJECT / "docs" / "operations"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
MONITORING = (PROJECT / "docs" / "monitoring.md").read_text()
PROMETHEUS_METRICS = {"up", "ALERTS"}  # metrics that Prometheus makes
LABELS_OF_PROMETHEUS = {"job", "instance", "alertname", "alertstate"}
VALUES = {  # the values that a label may have
    "method": set(protocol.METHODS),
    "outcome": {"ok", "fault", *protocol.REASONS},
    "kind": {"mail", "sms", "webhook", "refund", "event"},  # of the outbox
}
EXPOSURE = "15"  # the unit's, as systemd-analyze security rates it, in tenths: 0 is best, 100 worst

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="apt install prometheus")
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="apt install systemd")


def run(*command: str | Path, folder: Path | None = None) -> str:
    """Run a command that must end with status 0. Returns its output."""
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# Metrics ---------------------------------------------------------------------------------------


def selectors(expression: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each metric in an expression, with its matchers: pairs of a label and a pattern."""
    without_texts = re.sub(r'"[^"]*"', '""', expression)
    for name in set(re.findall(r"\bbusware_\w+|\bup\b|\bALERTS\b", without_texts)):
        for matchers in re.findall(rf"\b{name}\b(?:{{(.*?)}})?", expression):
            yield name, re.findall(r'(\w+)(?:=|!=|=~|!~)"(.*?)"', matchers)


def unknown_names(expression: str, measured: dict[str, set[str]]) -> Iterator[str]:
    """The metrics, labels and values in an expression that no server has."""
    for name, matchers in selectors(expression):
        if name not in measured.keys() | PROMETHEUS_METRICS:
            yield name
        for label, pattern in matchers:
            if label not in measured.get(name, set()) | LABELS_OF_PROMETHEUS:
                yield f"{name}: {label}"
            elif label in VALUES and not set(pattern.split("|")) <= VALUES[label]:
                yield f"{name}: {label}={pattern}"
    for labels in re.findall(r"\b(?:by|on|without|ignoring) \((.*?)\)", expression):
        known = LABELS_OF_PROMETHEUS.union(*measured.values())
        yield from set(re.findall(r"\w+", labels)) - known


@pytest.fixture
def measured(http: HttpClient, database: Database) -> dict[str, set[str]]:
    """The metrics of a running server that has had a request: the name of each sample → its labels."""
    assert http.call("GET", "/v1/ping").status_code == 200
    booking = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}
    assert http.call("POST", "/v1/bookings", json={**booking, "count": 1, "phone": "98450 12345"}).ok
    database.query("SELECT api.enqueue('webhook', '{}')")
    families = text_string_to_metric_families(http.call("GET", "/metrics").text)
    return {sample.name: {*sample.labels} for family in families for sample in family.samples}


def test_named_metrics_exist(measured: dict[str, set[str]]) -> None:
    annotations = [note["expr"] for note in DASHBOARD["annotations"]["list"]]
    expressions = [
        *QUERIES,
        *annotations,
        *(rule["expr"] for rule in RULES),
        *re.findall(r"`(.+?)`", MONITORING),
    ]
    assert [name for expression in expressions for name in unknown_names(expression, measured)] == []


def test_unknown_names_are_found(measured: dict[str, set[str]]) -> None:
    for expression, unknown in {
        "rate(busware_wishes[5m])": "busware_wishes",
        'busware_tickets{state="held"} > 1': "busware_tickets: state",
        'busware_request_seconds_count{job="busware",method=~"book|wish"}': (
            "busware_request_seconds_count: method=book|wish"
        ),
        "sum by (job, colour) (busware_write_queue)": "colour",
    }.items():
        assert list(unknown_names(expression, measured)) == [unknown]


# Alerts and dashboard --------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    assert f"`{rule['alert']}`" in MONITORING, "docs/monitoring.md does not say what to do"


def test_alert_about_guesses_counts_the_methods_that_open_a_booking_or_an_account() -> None:
    """`not_allowed` of another method means that the account role does not permit it."""
    (rule,) = [rule for rule in RULES if rule["alert"] == "BuswareCredentialsGuessed"]
    ((_, matchers),) = selectors(rule["expr"])
    methods = {
        name
        for name, request in protocol.METHODS.items()
        if issubclass(request, protocol.BookingRequest | protocol.Find)
        or "password" in request.__struct_fields__
    }
    assert set(dict(matchers)["method"].split("|")) == methods - {"register"}


def test_documented_alerts_exist() -> None:
    assert set(re.findall(r"`(Busware[A-Z]\w+)`", MONITORING)) == {rule["alert"] for rule in RULES}


def test_each_alert_has_an_example_in_which_it_fires() -> None:
    examples = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
    checks = [check for example in examples for check in example["alert_rule_test"]]
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == {
        rule["alert"] for rule in RULES
    }


@needs_promtool
def test_alerts_fire_as_in_their_examples() -> None:
    assert f"SUCCESS: {len(RULES)} rules found" in run("promtool", "check", "rules", FOLDER / "alerts.yaml")
    assert "SUCCESS" in run("promtool", "test", "rules", "alerts_test.yaml", folder=FOLDER)


@needs_promtool
def test_documented_configuration_of_prometheus_is_valid(tmp_path: Path) -> None:
    (configuration,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", MONITORING)
    (tmp_path / "prometheus.yml").write_text(configuration)
    shutil.copy(FOLDER / "alerts.yaml", tmp_path / "busware.yaml")
    assert f"{len(RULES)} rules found" in run("promtool", "check", "config", tmp_path / "prometheus.yml")


@needs_promtool
def test_queries_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    assert len(QUERIES) > len(DASHBOARD["panels"]) > 5
    expressions = [query.replace("$__rate_interval", "5m").replace("$job", "busware") for query in QUERIES]
    rules = [{"record": f"query:{n}", "expr": expression} for n, expression in enumerate(expressions)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    run("promtool", "check", "rules", tmp_path / "rules.yaml")


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


# The unit of systemd ---------------------------------------------------------------------------


def unit() -> dict[str, dict[str, str]]:
    """The sections of the unit. Of a setting that occurs twice, the last value."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(FOLDER / "busware.service")
    return {name: dict(parser[name]) for name in parser.sections()}


def test_unit_waits_for_the_whole_stop() -> None:
    workers = Settings.drain_seconds + supervisor.STOP_SECONDS
    postgres = (
        embedded_process.STOP_SECONDS
        + embedded_process.IMMEDIATE_STOP_SECONDS
        + embedded_process.KILL_SECONDS
    )
    service = unit()["Service"]
    assert int(service["TimeoutStopSec"]) >= workers + postgres
    assert service["KillMode"] == "mixed"  # the main process stops the others
    assert int(service["RestartPreventExitStatus"]) == EXIT_USAGE


@needs_systemd
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    text = (FOLDER / "busware.service").read_text()
    program = unit()["Service"]["ExecStart"]
    copy = tmp_path / "busware.service"
    copy.write_text(text.replace(program, sys.executable))  # it is not installed here
    assert run("systemd-analyze", "verify", copy) == ""
    run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", copy)


def test_documented_paths_are_those_of_the_unit() -> None:
    page = (PROJECT / "docs" / "systemd.md").read_text()
    service = unit()["Service"]
    folder, program = service["WorkingDirectory"], service["ExecStart"]
    assert folder == f"/var/lib/{service['StateDirectory']}"
    assert f"--mode {service['StateDirectoryMode'].lstrip('0')} {folder}\n" in page
    assert f"--home-dir {folder} --shell /usr/sbin/nologin {service['User']}\n" in page
    assert f"python3 -m venv {Path(program).parent.parent}\n" in page
    assert set(re.findall(r"/opt/busware/bin/busware[\w-]*", page)) == {program}
