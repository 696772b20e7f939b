-- A node goes over to another hub of its site when its own is away. So each hub of a site sends for the devices
-- behind the others, too; it does not read their settings, and does not take their commands.

create function private.sendable_device_ids()
returns setof integer
language plpgsql
stable
security definer
set search_path = ''
rows 20
as $$
begin
  return query
    select mine.id from private.my_device_ids() as mine (id)
    union
    select behind.id
    from public.devices as me
    join public.devices as hub
      on hub.site_id = me.site_id and hub.tenant_id = me.tenant_id and hub.kind = 'hub'
    join public.devices as behind on behind.hub_id = hub.id
    where me.id = private.my_device_id() and me.kind = 'hub'
      and me.revoked_at is null and me.status in ('approved', 'active')
      and behind.revoked_at is null and behind.status in ('approved', 'active');
end
$$;
comment on function private.sendable_device_ids() is
  'The devices for which the token may send rows: my_device_ids, and for a hub those behind the other hubs of its site.';
revoke execute on function private.sendable_device_ids() from public;
grant execute on function private.sendable_device_ids() to device;

create or replace function private.take_turn()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Two batches with the same rows in another order would each wait for a row of the other. So the batches of one
  -- site's hubs, and of the devices behind them, are taken one after the other; those of different sites share no
  -- device. Always first the site, then the hub, whose turn gateways take as well.
  perform pg_advisory_xact_lock(18832, hub.site_id)
  from public.devices as me
  join public.devices as hub on hub.id = coalesce(me.hub_id, me.id)
  where me.id = private.my_device_id() and hub.kind = 'hub' and hub.site_id is not null;
  perform pg_advisory_xact_lock(1883, coalesce(me.hub_id, me.id))
  from public.devices as me
  where me.id = private.my_device_id();
  return null;
end
$$;
comment on function private.take_turn() is
  'Lets one batch at a time through for the hubs of each site, and for each hub, before its first row.';
revoke execute on function private.take_turn() from public;

create function private.let_neighbours_send(table_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format(
    'alter policy "Devices read the keys of their rows" on public.%I
     using (device_id = any (array(select private.sendable_device_ids())))',
    table_name
  );
  execute format(
    'alter policy "Devices send their rows, of the present" on public.%I
     with check (
       device_id = any (array(select private.sendable_device_ids()))
       and recorded_at <= (select now() + interval ''1 minute'')
       and recorded_at >= (select now() - interval ''90 days'')
     )',
    table_name
  );
end
$$;
comment on function private.let_neighbours_send(text) is
  'Opens a table that accept_rows_from_devices has opened to the other hubs of a site, as nodes go from hub to hub.';
revoke execute on function private.let_neighbours_send(text) from public;

select private.let_neighbours_send(name)
from unnest(array[
  'telemetry_tank', 'telemetry_flow', 'telemetry_deep', 'telemetry_environment', 'telemetry_footfall',
  'telemetry_power', 'device_heartbeats', 'error_logs', 'attendance_logs'
]) as name;

alter policy "Devices send their losses, of the present" on public.loss_ledger
with check (
  device_id = any (array(select private.my_device_ids()))
  and lost_device_id = any (array(select private.sendable_device_ids()))
  and recorded_at <= now() + interval '1 minute' and recorded_at >= now() - interval '90 days'
);

-- To send for a device, a hub looks up its number.
alter policy "Devices read themselves and those behind them" on public.devices
using (id = any (array(select private.sendable_device_ids())));
