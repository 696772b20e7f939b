"""Starting, stopping, killing: what the local cloud keeps and what it throws away."""

import os
import signal
import time
from pathlib import Path

import pytest

from hub.errors import OperatorNeeded
from tests.tools.local_cloud.hub import Hub
from tools.local_cloud.local_cloud import LocalCloud
from tools.local_cloud.process_io import CloudProcess

DEADLINE_S = 20
LEAST_MIGRATION = """
create schema private;
create function private.make_partitions() returns void language sql as $$ select $$;
"""


def test_kept_data_has_one_user_and_survives_a_stop_and_a_kill(tmp_path: Path) -> None:
    with CloudProcess(tmp_path) as cloud:
        hub = Hub(cloud)
        assert hub.send([hub.row(1)]).status == 201
        with pytest.raises(OperatorNeeded, match="another local cloud uses this data"):
            CloudProcess(tmp_path).start()
    with CloudProcess(tmp_path) as cloud:
        hub.cloud = cloud
        assert hub.send([hub.row(2)]).status == 201  # with the token of before: the keys are kept too
        assert cloud.pid is not None
        os.kill(cloud.pid, signal.SIGKILL)
        cloud.wait()
    with CloudProcess(tmp_path) as cloud:
        (found,) = cloud.admin.completeness(hub.tank_key)
    assert (found.rows_stored, found.unexplained_gaps) == (2, 0)


def test_kept_data_of_other_migrations_is_not_used(tmp_path: Path) -> None:
    data, migrations = tmp_path / "data", tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "1_first.sql").write_text(LEAST_MIGRATION)
    second = migrations / "2_second.sql"
    second.write_text("create table public.extra (id integer);")
    with CloudProcess(data, migrations=migrations):
        pass
    second.write_text("create table public.extra (id bigint);")
    with pytest.raises(OperatorNeeded, match="2_second has changed since") as stale:
        CloudProcess(data, migrations=migrations).start()
    assert (stale.value.where, "--fresh" in stale.value.hint) == (str(data / "database"), True)
    second.unlink()
    with pytest.raises(OperatorNeeded, match="2_second is not in this checkout"):
        CloudProcess(data, migrations=migrations).start()


def test_a_port_in_use_is_named(local_cloud: CloudProcess) -> None:
    cloud = CloudProcess(port=local_cloud.port)
    with pytest.raises(OperatorNeeded, match=f"cannot listen on 127.0.0.1:{local_cloud.port}"):
        cloud.start()
    assert cloud.pid is None


def test_tokens_live_as_long_as_asked_and_the_process_no_longer_than_its_parent() -> None:
    with CloudProcess(token_life_s=1) as cloud:
        hub = Hub(cloud)
        deadline_s = time.monotonic() + DEADLINE_S
        while (answer := hub.send([hub.row(1)])).status == 201:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        assert (answer.status, answer.body["code"]) == (401, "PGRST303")
        process = cloud._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()  # what the system does when the parent dies
        assert process.wait(DEADLINE_S) == 0


async def test_serves_an_event_loop() -> None:
    async with LocalCloud() as cloud:
        hub = await cloud.register_device("hub", "hub")
        tank = await cloud.register_device("tank", "tank", hub="hub")
        assert hub.secret
        assert tank.secret is None
        assert await cloud.completeness() == []
        with pytest.raises(OperatorNeeded, match="cannot be a device key"):
            await cloud.register_device("Not a key", "tank")
        with pytest.raises(OperatorNeeded, match="a device with this key already"):
            await cloud.register_device("tank", "tank")
    assert cloud.process.pid is None
