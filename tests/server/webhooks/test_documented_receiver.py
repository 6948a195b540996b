"""The receiver of docs/webhooks.md, and the commands of that page, in their order."""

import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.client.test_commands import Run, operate, run  # noqa: F401 - fixtures
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.project import PROJECT
from tests.support.receiver import Hooks
from tests.support.schema_api import SchemaApi

pytestmark = pytest.mark.settings(outbox_seconds=0.05, publish_ms=1)

PAGE = (PROJECT / "docs/webhooks.md").read_text()
COMMANDS = re.findall(r"(?m)^\$ busware (.+)$", PAGE)


@pytest.fixture
def documented(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The receiver of the page, on a free port, which it prints. It begins after a line."""
    (script,) = re.findall(r"(?ms)^```python\n(.*?)^```", PAGE)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    script = script.replace('("", 8443)', '("127.0.0.1", 0)').replace(
        "server.serve_forever()", "print(server.server_port, flush=True)\nserver.serve_forever()"
    )
    (tmp_path / "secret.txt").write_text("")
    script = script.replace("webhook = Webhook(", "input()\nwebhook = Webhook(")
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def lines_of(process: subprocess.Popen[str]) -> queue.Queue[str]:
    """The lines that a process prints."""
    lines = queue.Queue[str]()
    assert process.stdout is not None
    threading.Thread(target=lambda out=process.stdout: [lines.put(line) for line in out], daemon=True).start()
    return lines


def test_page_from_top_to_bottom(
    operate: Run,  # noqa: F811
    documented: subprocess.Popen[str],
    hooks: Hooks,
    database: Database,
    api: SchemaApi,
    tmp_path: Path,
) -> None:
    assert documented.stdin is not None
    printed = lines_of(documented)
    database.query("UPDATE accounts SET role = 'operator', operator = 'KSRTC' WHERE username = 'boss'")
    commands = iter(COMMANDS)

    def do(**replaced: str) -> str:
        """Run the next command of the page, with other texts in the place of some."""
        typed = next(commands)
        for old, new in replaced.items():
            assert old in typed
            typed = typed.replace(old, new)
        done = operate(*[word.strip("'") for word in typed.split()])
        assert done.status == 0, done
        return str(done.out)

    created = do()
    (secret,) = re.findall(r"whsec_\S+", created)
    (tmp_path / "secret.txt").write_text(f"{secret}\n")
    documented.stdin.write("\n")
    documented.stdin.flush()
    port = printed.get(timeout=WAIT_SECONDS).strip()
    hooks.put(url=f"https://localhost:{port}/busware")
    hooks.start(webhook_ca=tmp_path / "ca.pem")
    assert "webhook.test" in do()
    assert printed.get(timeout=WAIT_SECONDS) == "webhook.test None\n"
    wait_until(lambda: hooks.states() == [("done", 1)])
    assert re.search(r"webhook\.test\s+delivered\s+1\s", do())
    booking = api.book(1)
    assert printed.get(timeout=WAIT_SECONDS) == f"booking.booked {booking['reference']}\n"
    wait_until(lambda: hooks.states() == [("done", 1)] * 2)
    hooks.change("put_webhook", active=False)
    api.cancel(booking)
    wait_until(lambda: database.query("SELECT FROM events WHERE position IS NULL") == [])
    do()
    assert do() == "2 events will be sent again.\n"  # since a time
    # The receiver prints only the event that it has not received before.
    assert printed.get(timeout=WAIT_SECONDS) == f"booking.cancelled {booking['reference']}\n"
    wait_until(lambda: hooks.states() == [("done", 1)] * 4)
    position = database.value("SELECT max(position) FROM events")
    assert do(**{"--after 17": f"--after {position}"}) == "0 events will be sent again.\n"
    number = database.value("SELECT max(outbox_no) FROM outbox")
    assert do(**{"--delivery 41": f"--delivery {number}"}) == "1 event will be sent again.\n"
    wait_until(lambda: hooks.states() == [("done", 1)] * 5)
    rotated = do()
    assert secret not in rotated
    api.book(2)
    assert printed.get(timeout=WAIT_SECONDS).startswith("booking.booked ")
    assert list(commands) == []
