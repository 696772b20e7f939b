-- How much of the time devices were heard, from their downtime. With the rights of who asks: others' devices are not there.

create function public.device_uptime(device_id integer, from_time timestamptz, to_time timestamptz)
returns table (total_s double precision, downtime_s double precision, uptime_share double precision, incidents bigint)
language sql
stable
set search_path = ''
as $$
  select
    extract(epoch from span.until_at - span.since_at)::double precision,
    down.seconds,
    1 - down.seconds / nullif(extract(epoch from span.until_at - span.since_at)::double precision, 0),
    down.incidents
  from public.devices as device
  cross join lateral (
    -- Neither what was before the device, nor what is to come.
    select
      greatest(from_time, device.created_at) as since_at,
      greatest(least(to_time, device.revoked_at, now()), greatest(from_time, device.created_at)) as until_at
  ) as span
  cross join lateral (
    select
      coalesce(sum(extract(epoch from
        least(coalesce(downtime.ended_at, span.until_at), span.until_at) - greatest(downtime.started_at, span.since_at)
      )), 0)::double precision as seconds,
      count(*) as incidents
    from public.device_downtime as downtime
    where downtime.device_id = device.id
      and downtime.started_at < span.until_at
      and coalesce(downtime.ended_at, span.until_at) > span.since_at
  ) as down
  where device.id = device_uptime.device_id and span.until_at > span.since_at;
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
set search_path = ''
as $$
begin
  if group_by is null or group_by not in ('tenant', 'site') then
    raise exception 'group_by is "%"', group_by using errcode = 'check_violation', hint = 'It is tenant or site.';
  end if;
  return query
    select
      grouped.id, grouped.name, count(*), sum(up.total_s), sum(up.downtime_s),
      1 - sum(up.downtime_s) / nullif(sum(up.total_s), 0), sum(up.incidents)::bigint
    from public.devices as device
    cross join lateral public.device_uptime(device.id, from_time, to_time) as up
    left join public.tenants as tenant on tenant.id = device.tenant_id
    left join public.sites as site on site.id = device.site_id
    cross join lateral (
      select
        case group_by when 'tenant' then tenant.id else site.id end as id,
        case group_by when 'tenant' then tenant.name else site.name end as name
    ) as grouped
    where device.status in ('active', 'retired')
    group by grouped.id, grouped.name
    order by grouped.name, grouped.id;
end
$$;
comment on function public.sla_report(timestamptz, timestamptz, text) is
  'The uptime of devices by tenant or by site. Devices without a site have none as group.';

revoke execute on function
  public.device_uptime(integer, timestamptz, timestamptz), public.sla_report(timestamptz, timestamptz, text)
  from public, anon, authenticated;
grant execute on function
  public.device_uptime(integer, timestamptz, timestamptz), public.sla_report(timestamptz, timestamptz, text)
  to authenticated, service_role;
