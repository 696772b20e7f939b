"""Alert rules for benchmarks, where the tables for them exist."""

from typing import Any

import psycopg

# Column of tanks, whether above is a breach, threshold, how long it lasts. Readings come near, few go beyond.
_RULES = (
    ("water_level_cm", False, 40.0, 0),
    ("water_level_cm", True, 375.0, 300),
    ("ph", True, 8.5, 0),
    ("temperature_c", True, 30.0, 60),
    ("battery_v", False, 2.9, 600),
)


def put_rules(connection: psycopg.Connection[Any], tenant: str) -> int:
    """Put five rules about tanks in force for a tenant, and return how many: none where there is no table."""
    found = connection.execute("select to_regclass('public.alert_rules') is not null").fetchone()
    if found is None or not found[0]:
        return 0
    for number, (metric, is_above, threshold, duration_s) in enumerate(_RULES, 1):
        connection.execute(
            """
            insert into public.alert_rules
              (tenant_id, name, rule_type, table_name, metric, is_above, threshold, duration_s)
            select id, %s, 'threshold', 'telemetry_tank', %s, %s, %s, %s from public.tenants where name = %s
            """,
            (f"rule {number}", metric, is_above, threshold, duration_s, tenant),
        )
    return len(_RULES)
