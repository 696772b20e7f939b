-- How much of the time devices were heard, from their downtime.

create function private.readable_device_ids(only_device_id integer)
returns integer[]
language sql
stable
set search_path = ''
as $$
  select array(
    select device.id from public.devices as device
    where (only_device_id is null or device.id = only_device_id)
      and (private.is_trusted() or device.tenant_id = any (array(select private.tenant_ids_for('viewer'))))
  );
$$;
comment on function private.readable_device_ids(integer) is
  'The devices that whoever asks may see, or the one of them; empty where there is none, or none for them.';

create function private.count_uptime(device_ids integer[], from_time timestamptz, to_time timestamptz)
returns table (
  device_id integer, total_s double precision, downtime_s double precision, incidents bigint
)
language sql
stable
set search_path = ''
as $$
  with spans as (
    -- Neither what was before the device, nor what is to come.
    select
      device.id,
      greatest(from_time, device.created_at) as since_at,
      least(to_time, device.revoked_at, now()) as until_at
    from public.devices as device
    where device.id = any (device_ids) and device.status in ('active', 'retired')
  )
  select
    span.id,
    extract(epoch from span.until_at - span.since_at)::double precision,
    coalesce(sum(extract(epoch from
      least(coalesce(downtime.ended_at, span.until_at), span.until_at) - greatest(downtime.started_at, span.since_at)
    )), 0)::double precision,
    count(downtime.id)
  from spans as span
  left join public.device_downtime as downtime
    on downtime.device_id = span.id
    and downtime.started_at < span.until_at
    and coalesce(downtime.ended_at, span.until_at) > span.since_at
  where span.until_at > span.since_at
  group by span.id, span.since_at, span.until_at;
$$;
comment on function private.count_uptime(integer[], timestamptz, timestamptz) is
  'For each device that was in service: seconds of the time it is known for, seconds silent, and how often.';

create function public.device_uptime(device_id integer, from_time timestamptz, to_time timestamptz)
returns table (total_s double precision, downtime_s double precision, uptime_share double precision, incidents bigint)
language sql
stable
security definer
set search_path = ''
as $$
  select counted.total_s, counted.downtime_s, 1 - counted.downtime_s / counted.total_s, counted.incidents
  from private.count_uptime(
    -- Without a number nothing is meant, not everything.
    case when device_uptime.device_id is not null then private.readable_device_ids(device_uptime.device_id) end,
    from_time, to_time
  ) as counted;
$$;
comment on function public.device_uptime(integer, timestamptz, timestamptz) is
  'Of the time in [from_time, to_time) since the device is known: seconds, seconds silent, share heard, and how often silent.';

create function public.sla_report(from_time timestamptz, to_time timestamptz, group_by text default 'tenant')
returns table (
  group_id integer, group_name text, devices bigint, total_s double precision, downtime_s double precision,
  uptime_share double precision, incidents bigint
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if group_by is null or group_by not in ('tenant', 'site') then
    raise exception 'group_by is "%"', group_by using errcode = 'check_violation', hint = 'It is tenant or site.';
  end if;
  return query
    select
      grouped.id, grouped.name, count(*), sum(up.total_s), sum(up.downtime_s),
      1 - sum(up.downtime_s) / sum(up.total_s), sum(up.incidents)::bigint
    from private.count_uptime(private.readable_device_ids(null), from_time, to_time) as up
    join public.devices as device on device.id = up.device_id
    join public.tenants as tenant on tenant.id = device.tenant_id
    left join public.sites as site on site.id = device.site_id
    cross join lateral (
      select
        case group_by when 'tenant' then tenant.id else site.id end as id,
        case group_by when 'tenant' then tenant.name else site.name end as name
    ) as grouped
    group by grouped.id, grouped.name
    order by grouped.name, grouped.id;
end
$$;
comment on function public.sla_report(timestamptz, timestamptz, text) is
  'The uptime of the devices one may see, by tenant or by site. Devices without a site have none as group.';

revoke execute on function
  private.readable_device_ids(integer), private.count_uptime(integer[], timestamptz, timestamptz) from public;
revoke execute on function
  public.device_uptime(integer, timestamptz, timestamptz), public.sla_report(timestamptz, timestamptz, text)
  from public, anon, authenticated;
grant execute on function
  public.device_uptime(integer, timestamptz, timestamptz), public.sla_report(timestamptz, timestamptz, text)
  to authenticated, service_role;
