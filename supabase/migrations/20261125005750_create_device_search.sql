-- Which devices are there, and which are near.

create function public.discover_devices()
returns table (
  device_id integer, device_key text, device_name text, kind text, device_status public.device_status, hub_id integer,
  tenant_id integer, site_id integer, site_name text, building text, floor text, room text,
  latitude double precision, longitude double precision, status text, last_seen_at timestamptz, sends text[]
)
language sql
stable
security definer
set search_path = ''
as $$
  select device.id, device.device_key, device.name, device.kind, device.status, device.hub_id, device.tenant_id,
    device.site_id, site.name, device.building, device.floor, device.room,
    coalesce(device.latitude, site.latitude), coalesce(device.longitude, site.longitude),
    state.status, state.last_seen_at, array(select jsonb_object_keys(state.latest) order by 1)
  from public.devices as device
  left join public.sites as site on site.id = device.site_id
  left join public.device_state as state on state.device_id = device.id
  where device.tenant_id = any (array(select private.readable_tenant_ids())) and device.status <> 'retired'
  order by device.id;
$$;
comment on function public.discover_devices() is
  'Every device in service that the person may see: what it is, where, how it is doing, and to which tables it sends.';

create function private.distance_m(
  from_latitude double precision, from_longitude double precision,
  to_latitude double precision, to_longitude double precision
)
returns double precision
language sql
immutable
set search_path = ''
as $$
  -- Haversine on a sphere of the mean radius of the Earth: right to half a percent.
  select 2 * 6371008.8 * asin(sqrt(least(1,
    power(sin(radians(to_latitude - from_latitude) / 2), 2)
    + cos(radians(from_latitude)) * cos(radians(to_latitude)) * power(sin(radians(to_longitude - from_longitude) / 2), 2)
  )));
$$;
comment on function private.distance_m(double precision, double precision, double precision, double precision) is
  'Metres between two positions in degrees, along the surface.';

create function public.devices_within(latitude double precision, longitude double precision, radius_m double precision)
returns table (
  device_id integer, device_key text, device_name text, kind text, tenant_id integer, site_id integer,
  device_latitude double precision, device_longitude double precision, distance_m double precision
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  -- A degree of a great circle, and a little more so that rounding excludes nobody.
  reach_degrees double precision := radius_m / 111195.0 * 1.001;
begin
  if not coalesce(
    devices_within.latitude between -90 and 90 and devices_within.longitude between -180 and 180 and radius_m >= 0, false
  ) then
    raise exception 'latitude %, longitude % and radius_m % are no place', latitude, longitude, radius_m
      using errcode = 'invalid_parameter_value';
  end if;
  return query
  with placed as materialized (
    select device.id, device.device_key, device.name, device.kind, device.tenant_id, device.site_id,
      coalesce(device.latitude, site.latitude) as north, coalesce(device.longitude, site.longitude) as east
    from public.devices as device
    left join public.sites as site on site.id = device.site_id
    where device.tenant_id = any (array(select private.readable_tenant_ids())) and device.status <> 'retired'
  ),
  near as (
    select placed.*, private.distance_m(devices_within.latitude, devices_within.longitude, placed.north, placed.east) as away_m
    from placed
    where abs(placed.north - devices_within.latitude) <= reach_degrees
      -- Meridians draw together towards the poles, and meet there; and -180 is beside 180.
      and (
        abs(devices_within.latitude) + reach_degrees >= 89
        or least(abs(placed.east - devices_within.longitude), 360 - abs(placed.east - devices_within.longitude))
          <= reach_degrees / cos(radians(abs(devices_within.latitude) + reach_degrees))
      )
  )
  select near.id, near.device_key, near.name, near.kind, near.tenant_id, near.site_id, near.north, near.east, near.away_m
  from near where near.away_m <= radius_m
  order by near.away_m, near.id;
end
$$;
comment on function public.devices_within(double precision, double precision, double precision) is
  'Devices that the person may see within a distance, nearest first. A device without a position is where its site is.';

revoke execute on function
  private.distance_m(double precision, double precision, double precision, double precision),
  public.discover_devices(), public.devices_within(double precision, double precision, double precision)
  from public, anon;
grant execute on function
  public.discover_devices(), public.devices_within(double precision, double precision, double precision)
  to authenticated, service_role;
