"""Nothing can be reached that was not opened by name: what the advisors do not see."""

import pytest

from tests.supabase.roles import Connection

OUTSIDERS = ("anon", "authenticated", "device")
# Every function a role may call; a new one has to be written down here.
CALLABLE = {
    "device": {
        "private.is_within",
        "private.my_claims",
        "private.my_user_id",
        "private.my_device_id",
        "private.my_device_ids",
        "private.ids_i_send_for",
        "private.may_listen",
        "public.claim_commands",
        "public.report_command",
    },
    "authenticated": {
        "private.is_within",
        "private.my_claims",
        "private.my_user_id",
        "private.my_device_id",
        "private.my_role",
        "private.tenant_ids_for",
        "private.device_ids_for",
        "private.may_read_device",
        "private.may_listen",
        "public.assign_role",
        "public.dismiss_person",
        "public.set_device_secret",
        "public.create_ingest_key",
        "public.revoke_ingest_key",
        "public.create_command",
        "public.approve_command",
        "public.cancel_command",
        "public.resend_command",
        "public.acknowledge_alert",
        "public.resolve_alert",
        "public.silence_alerts",
        "public.device_uptime",
        "public.sla_report",
        "public.device_health",
        "public.completeness_by_day",
        "public.devices_within",
        "public.discover_devices",
        "public.get_flow_statistics",
        "public.get_latest_flow_data",
        "public.job_status",
        "public.metrics_summary",
        "public.telemetry_chart",
        "private.count_open_alerts",
    },
    "service_role": {
        "private.is_within",
        "private.my_claims",
        "private.my_user_id",
        "private.my_device_id",
        "public.register_device",
        "public.open_device_session",
        "public.refresh_device_session",
        "public.set_device_secret",
        "public.create_ingest_key",
        "public.revoke_ingest_key",
        "public.ingest_readings",
        "public.completeness",
        "public.upload_latency",
        "public.assign_role",
        "public.dismiss_person",
        "public.claim_audit_entries",
        "public.settle_audit_entries",
        "public.acknowledge_alert",
        "public.resolve_alert",
        "public.silence_alerts",
        "public.claim_notifications",
        "public.settle_notification",
        "public.device_uptime",
        "public.sla_report",
        "public.device_health",
        "public.completeness_by_day",
        "public.devices_within",
        "public.discover_devices",
        "public.get_flow_statistics",
        "public.get_latest_flow_data",
        "public.job_status",
        "public.metrics_summary",
        "public.telemetry_chart",
        "private.count_open_alerts",
        "public.claim_archive",
        "public.finish_archive",
        "public.read_archive",
        "public.release_archive",
        "public.run_jobs",
        "public.switch_archiving",
    },
}


def test_every_table_has_row_level_security(database: Connection) -> None:
    found = database.execute(
        """
        select oid::regclass::text as name from pg_class
        where relkind in ('r', 'p') and not relrowsecurity
          and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        """
    ).fetchall()
    assert found == []


def test_partitions_are_out_of_reach(database: Connection) -> None:
    found = database.execute(
        """
        select class.oid::regclass::text as name, role.rolname
        from pg_class as class cross join pg_roles as role
        where class.relispartition and class.relkind = 'r'
          and role.rolname in ('anon', 'authenticated', 'device', 'service_role')
          and (
            class.relnamespace <> 'partitions'::regnamespace
            or has_schema_privilege(role.rolname, class.relnamespace, 'usage')
            or has_any_column_privilege(role.rolname, class.oid, 'select, insert, update')
            or has_table_privilege(role.rolname, class.oid, 'delete, truncate')
          )
        """
    ).fetchall()
    assert found == []


def test_a_leaf_with_a_grant_would_be_found(database: Connection) -> None:
    database.execute("grant select on partitions.telemetry_tank_default to authenticated")
    with pytest.raises(AssertionError):
        test_partitions_are_out_of_reach(database)


@pytest.mark.parametrize("role", ["anon", "authenticated", "device", "service_role"])
def test_functions_are_callable_by_name_only(database: Connection, role: str) -> None:
    found = database.execute(
        """
        select namespace.nspname || '.' || function.proname as name
        from pg_proc as function join pg_namespace as namespace on namespace.oid = function.pronamespace
        where namespace.nspname in ('public', 'private')
          and has_function_privilege(%s, function.oid, 'execute')
        """,
        (role,),
    ).fetchall()
    assert {row["name"] for row in found} == CALLABLE.get(role, set())


@pytest.mark.parametrize("role", ["anon"])
def test_those_who_are_nobody_reach_no_table(database: Connection, role: str) -> None:
    found = database.execute(
        """
        select oid::regclass::text as name from pg_class
        where relkind in ('r', 'p', 'v', 'm')
          and relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'partitions'::regnamespace)
          and (
            has_any_column_privilege(%s, oid, 'select, insert, update')
            or has_table_privilege(%s, oid, 'delete, truncate')
          )
        """,
        (role, role),
    ).fetchall()
    assert found == []


def test_functions_that_borrow_rights_name_what_they_mean(database: Connection) -> None:
    found = database.execute(
        """
        select oid::regprocedure::text as name from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and not coalesce(proconfig @> array['search_path=""'], false)
        """
    ).fetchall()
    assert found == []


def test_everything_says_what_it_is_for(database: Connection) -> None:
    found = database.execute(
        """
        select oid::regclass::text as name from pg_class
        where relkind in ('r', 'p', 'v') and not relispartition
          and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
          and obj_description(oid, 'pg_class') is null
        union all
        select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and obj_description(oid, 'pg_proc') is null
        """
    ).fetchall()
    assert found == []


def test_foreign_keys_have_an_index(database: Connection) -> None:
    found = database.execute(
        """
        select conname from pg_constraint as key
        where contype = 'f' and not exists (
          select from pg_index as index
          where index.indrelid = key.conrelid and index.indkey[0] = key.conkey[1]
        )
        """
    ).fetchall()
    assert found == []
