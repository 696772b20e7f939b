-- The fleet at a glance.

create function private.count_open_alerts()
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
  counted bigint;
begin
  if to_regclass('public.alerts') is null then
    return 0;
  end if;
  -- With the rights of whoever asks.
  execute 'select count(*) from public.alerts where resolved_at is null' into counted;
  return counted;
end
$$;
comment on function private.count_open_alerts() is 'Alerts that nobody has resolved, among those that the person may see.';

create view public.dashboard_summary
with (security_invoker = true)
as
select
  count(*) filter (where device.status <> 'retired') as devices_total,
  count(*) filter (where device.status in ('approved', 'active') and state.status = 'online') as devices_online,
  count(*) filter (where device.status in ('approved', 'active') and state.status is distinct from 'online')
    as devices_offline,
  count(*) filter (where device.status = 'pending') as devices_pending,
  max(state.last_received_at) as last_received_at,
  (select private.count_open_alerts()) as alerts_open
from public.devices as device
left join public.device_state as state on state.device_id = device.id;
comment on view public.dashboard_summary is
  'One row about everything that the person may see. A device that has never sent is offline.';
grant select on public.dashboard_summary to authenticated, service_role;

create materialized view private.device_stats_by_location as
with pieces as (
  select 'hour' as grain, date_bin('1 hour', heard.bucket_at, 'epoch') as bucket_at, heard.device_id,
    'heartbeats' as source, heard.readings, heard.cpu_percent_mean, heard.cpu_percent_count,
    heard.ram_percent_mean, heard.ram_percent_count, heard.storage_percent_max, heard.temperature_c_max,
    heard.queue_length_max, 0 as scans
  from public.device_metrics_5min as heard
  where heard.bucket_at >= date_bin('1 hour', now() - interval '48 hours', 'epoch')
  union all
  select 'day', heard.bucket_at, heard.device_id, 'heartbeats', heard.readings, heard.cpu_percent_mean,
    heard.cpu_percent_count, heard.ram_percent_mean, heard.ram_percent_count, heard.storage_percent_max,
    heard.temperature_c_max, heard.queue_length_max, heard.total_scans
  from public.device_metrics_daily as heard
  where heard.bucket_at >= date_bin('1 day', now() - interval '92 days', 'epoch')
  union all
  select measured.grain, measured.bucket_at, measured.device_id, 'telemetry', measured.readings,
    null, 0, null, 0, null, null, null, 0
  from (
    select 'hour', bucket_at, device_id, readings from public.telemetry_tank_hourly
    union all select 'hour', bucket_at, device_id, readings from public.telemetry_flow_hourly
    union all select 'hour', bucket_at, device_id, readings from public.telemetry_deep_hourly
    union all select 'hour', bucket_at, device_id, readings from public.telemetry_environment_hourly
    union all select 'hour', bucket_at, device_id, readings from public.telemetry_footfall_hourly
    union all select 'hour', bucket_at, device_id, readings from public.telemetry_power_hourly
    union all select 'day', bucket_at, device_id, readings from public.telemetry_tank_daily
    union all select 'day', bucket_at, device_id, readings from public.telemetry_flow_daily
    union all select 'day', bucket_at, device_id, readings from public.telemetry_deep_daily
    union all select 'day', bucket_at, device_id, readings from public.telemetry_environment_daily
    union all select 'day', bucket_at, device_id, readings from public.telemetry_footfall_daily
    union all select 'day', bucket_at, device_id, readings from public.telemetry_power_daily
  ) as measured (grain, bucket_at, device_id, readings)
  where measured.bucket_at >= case measured.grain
    when 'hour' then date_bin('1 hour', now() - interval '48 hours', 'epoch')
    else date_bin('1 day', now() - interval '92 days', 'epoch')
  end
)
select
  device.tenant_id,
  coalesce(device.site_id, 0) as site_id,
  coalesce(device.building, '') as building,
  coalesce(device.floor, '') as floor,
  pieces.grain,
  pieces.bucket_at,
  count(distinct pieces.device_id) as devices_heard,
  coalesce(sum(pieces.readings) filter (where pieces.source = 'telemetry'), 0)::bigint as readings,
  coalesce(sum(pieces.readings) filter (where pieces.source = 'heartbeats'), 0)::bigint as heartbeats,
  sum(pieces.cpu_percent_mean * pieces.cpu_percent_count) as cpu_percent_sum,
  sum(pieces.cpu_percent_count)::bigint as cpu_percent_count,
  sum(pieces.ram_percent_mean * pieces.ram_percent_count) as ram_percent_sum,
  sum(pieces.ram_percent_count)::bigint as ram_percent_count,
  max(pieces.storage_percent_max) as storage_percent_max,
  max(pieces.temperature_c_max) as temperature_c_max,
  max(pieces.queue_length_max) as queue_length_max,
  sum(pieces.scans)::bigint as scans
from pieces
join public.devices as device on device.id = pieces.device_id
group by 1, 2, 3, 4, 5, 6;
comment on materialized view private.device_stats_by_location is
  'What came from each place: by the hour for two days, by the day for three months. Refreshed every 5 minutes.';
-- Refreshing beside readers needs it.
create unique index device_stats_by_location_idx
on private.device_stats_by_location (tenant_id, grain, bucket_at, site_id, building, floor);

create function private.refresh_device_stats()
returns void
language plpgsql
set search_path = ''
as $$
begin
  refresh materialized view concurrently private.device_stats_by_location;
end
$$;
comment on function private.refresh_device_stats() is 'Brings device_stats_by_location up to date, while others read it.';

create function public.metrics_summary(time_range interval default '24 hours', group_by text default 'site')
returns table (
  tenant_id integer, group_name text, site_id integer, devices bigint, devices_online bigint, readings bigint,
  heartbeats bigint, cpu_percent_mean double precision, ram_percent_mean double precision, storage_percent_max real,
  temperature_c_max real, queue_length_max bigint, scans bigint
)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  mine integer[] := array(select private.readable_tenant_ids());
  used_grain text := case when time_range <= interval '48 hours' then 'hour' else 'day' end;
  begins_at timestamptz := date_bin(
    case used_grain when 'hour' then interval '1 hour' else interval '1 day' end, now() - time_range, 'epoch'
  );
begin
  if group_by not in ('building', 'floor', 'site', 'tenant') then
    raise exception 'group_by is "%"', group_by
      using errcode = 'invalid_parameter_value', hint = 'One of building, floor, site and tenant.';
  end if;
  if not coalesce(time_range between interval '1 hour' and interval '90 days', false) then
    raise exception 'time_range is %', time_range
      using errcode = 'invalid_parameter_value', hint = 'Between 1 hour and 90 days.';
  end if;
  return query
  with counted as (
    select device.tenant_id, coalesce(device.site_id, 0) as site_id, coalesce(device.building, '') as building,
      coalesce(device.floor, '') as floor, count(*) as devices, count(*) filter (where state.status = 'online') as online
    from public.devices as device
    left join public.device_state as state on state.device_id = device.id
    where device.tenant_id = any (mine) and device.status <> 'retired'
    group by 1, 2, 3, 4
  ),
  summed as (
    select stats.tenant_id, stats.site_id, stats.building, stats.floor, sum(stats.readings) as readings,
      sum(stats.heartbeats) as heartbeats, sum(stats.cpu_percent_sum) as cpu_sum, sum(stats.cpu_percent_count) as cpu_count,
      sum(stats.ram_percent_sum) as ram_sum, sum(stats.ram_percent_count) as ram_count,
      max(stats.storage_percent_max) as storage, max(stats.temperature_c_max) as temperature,
      max(stats.queue_length_max) as queue, sum(stats.scans) as scans
    from private.device_stats_by_location as stats
    where stats.tenant_id = any (mine) and stats.grain = used_grain and stats.bucket_at >= begins_at
    group by 1, 2, 3, 4
  ),
  placed as (
    select counted.*, summed.readings, summed.heartbeats, summed.cpu_sum, summed.cpu_count, summed.ram_sum,
      summed.ram_count, summed.storage, summed.temperature, summed.queue, summed.scans,
      -- Two floors of one name in two buildings are two floors.
      case when group_by <> 'tenant' then counted.site_id else 0 end as group_site_id,
      case group_by
        when 'tenant' then '' when 'site' then '' when 'building' then counted.building
        else concat_ws(' / ', nullif(counted.building, ''), nullif(counted.floor, ''))
      end as label
    from counted left join summed using (tenant_id, site_id, building, floor)
  )
  select placed.tenant_id,
    case group_by when 'tenant' then tenant.name when 'site' then site.name else nullif(placed.label, '') end,
    nullif(placed.group_site_id, 0), sum(placed.devices)::bigint, sum(placed.online)::bigint,
    coalesce(sum(placed.readings), 0)::bigint, coalesce(sum(placed.heartbeats), 0)::bigint,
    sum(placed.cpu_sum) / nullif(sum(placed.cpu_count), 0)::double precision,
    sum(placed.ram_sum) / nullif(sum(placed.ram_count), 0)::double precision,
    max(placed.storage), max(placed.temperature), max(placed.queue), coalesce(sum(placed.scans), 0)::bigint
  from placed
  join public.tenants as tenant on tenant.id = placed.tenant_id
  left join public.sites as site on site.id = placed.group_site_id
  group by placed.tenant_id, tenant.name, placed.group_site_id, site.name, placed.label
  order by placed.tenant_id, 2 nulls last, 3;
end
$$;
comment on function public.metrics_summary(interval, text) is
  'What came in the last time_range, by building, floor, site or tenant, among what the person may see. Up to 5 minutes old; hours up to 48 hours, days beyond.';

revoke execute on function
  private.count_open_alerts(), private.refresh_device_stats(), public.metrics_summary(interval, text)
  from public, anon;
grant execute on function private.count_open_alerts() to authenticated, service_role;
grant execute on function public.metrics_summary(interval, text) to authenticated, service_role;
