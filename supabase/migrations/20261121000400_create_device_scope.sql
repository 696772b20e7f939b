-- What the role device may see and send: itself and the devices behind it, here and now.

create function private.my_device_ids()
returns setof integer
language sql
stable
security definer
set search_path = ''
rows 20
as $$
  select device.id
  from public.devices as me
  join public.devices as device on device.id = me.id or device.hub_id = me.id
  where me.id = (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'device_id')::integer
    and me.revoked_at is null
    and me.status in ('approved', 'active')
    and device.revoked_at is null
    and device.status in ('approved', 'active');
$$;
comment on function private.my_device_ids() is
  'The device named by the token and the devices behind it; none once the device is revoked, retired or pending.';

create function private.is_recordable(recorded_at timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
  select recorded_at <= now() + interval '1 minute' and recorded_at >= now() - interval '90 days';
$$;
comment on function private.is_recordable(timestamptz) is
  'False for the future (a clock may be a minute ahead) and for what retention would drop at once.';

revoke execute on function private.my_device_ids(), private.is_recordable(timestamptz) from public;
grant execute on function private.my_device_ids(), private.is_recordable(timestamptz) to device;

-- The hub looks up here which number each of its device keys has.
grant select (id, device_key, name, kind, hub_id, status) on public.devices to device;
create policy "Devices read themselves and those behind them"
on public.devices for select to device
using (id = any (array(select private.my_device_ids())));
