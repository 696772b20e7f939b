-- What devices and people see of devices: a device itself and those behind it, a person those of their tenants.

create function private.my_device_ids()
returns setof integer
language plpgsql
stable
security definer
set search_path = ''
rows 20
as $$
begin
  return query
    with me as materialized (
      select device.id
      from public.devices as device
      where device.id = private.my_device_id()
        and device.revoked_at is null and device.status in ('approved', 'active')
    )
    select me.id from me
    union all
    select behind.id
    from me
    join public.devices as behind on behind.hub_id = me.id
    where behind.revoked_at is null and behind.status in ('approved', 'active');
end
$$;
comment on function private.my_device_ids() is
  'The device named by the token and the devices behind it; none once the device is revoked, retired or pending.';

create function private.ids_i_send_for()
returns setof integer
language plpgsql
stable
security definer
set search_path = ''
rows 20
as $$
begin
  return query
    select private.my_device_ids()
    union all
    select roaming.id
    from public.devices as me
    join public.devices as roaming on roaming.tenant_id = me.tenant_id and roaming.is_roaming
    where me.id = private.my_device_id() and me.kind = 'hub'
      and me.revoked_at is null and me.status in ('approved', 'active')
      and roaming.revoked_at is null and roaming.status in ('approved', 'active')
      and roaming.hub_id is distinct from me.id;
end
$$;
comment on function private.ids_i_send_for() is
  'The devices whose rows this one may send: my_device_ids, and for a hub the nodes of its tenant that roam.';

create function private.device_ids_for(least_role public.user_role)
returns setof integer
language plpgsql
stable
security definer
set search_path = ''
rows 500
as $$
begin
  return query
    select device.id
    from private.tenant_ids_for(least_role) as mine (id)
    join public.devices as device on device.tenant_id = mine.id;
end
$$;
comment on function private.device_ids_for(public.user_role) is
  'The devices of the tenants for which the person has at least this role.';

create function private.may_read_device(device_id integer)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return private.is_trusted() or exists (
    select from public.devices as device
    where device.id = may_read_device.device_id
      and device.tenant_id in (select private.tenant_ids_for('viewer'))
  );
end
$$;
comment on function private.may_read_device(integer) is
  'For functions that are asked about one device. In a policy it would be called for every row: there, device_ids_for.';

revoke execute on function
  private.my_device_ids(), private.ids_i_send_for(), private.device_ids_for(public.user_role), private.may_read_device(integer)
  from public;
grant execute on function private.my_device_ids(), private.ids_i_send_for() to device;
grant execute on function private.device_ids_for(public.user_role), private.may_read_device(integer) to authenticated;

create function private.open_to_people(table_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('alter table public.%I enable row level security', table_name);
  execute format('grant select on public.%I to authenticated, service_role', table_name);
  execute format(
    'create policy "People read what is of their tenants" on public.%I for select to authenticated
     using (device_id = any (array(select private.device_ids_for(''viewer''))))',
    table_name
  );
end
$$;
comment on function private.open_to_people(text) is
  'Lets people read a table about devices, as far as the devices are of their tenants. It has a column device_id.';

create function private.let_people_write(table_name text, least_role public.user_role)
returns void
language plpgsql
set search_path = ''
as $$
declare
  rule text := format('device_id = any (array(select private.device_ids_for(%L)))', least_role);
  -- Not the key, with which one could take the next numbers from everybody, nor who wrote it and when.
  columns text := (
    select string_agg(quote_ident(attribute.attname), ', ' order by attribute.attnum)
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = to_regclass(format('public.%I', table_name))
      and attribute.attnum > 0 and not attribute.attisdropped
      and attribute.attname <> all (array['id', 'created_at', 'created_by'])
  );
begin
  perform private.open_to_people(table_name);
  execute format('grant insert, update, delete on public.%I to service_role', table_name);
  execute format(
    'grant delete, insert (%1$s), update (%1$s) on public.%2$I to authenticated', columns, table_name
  );
  execute format(
    'create policy "Those with the role add" on public.%I for insert to authenticated with check (%s)',
    table_name, rule
  );
  execute format(
    'create policy "Those with the role change" on public.%I for update to authenticated using (%s) with check (%s)',
    table_name, rule, rule
  );
  execute format(
    'create policy "Those with the role remove" on public.%I for delete to authenticated using (%s)',
    table_name, rule
  );
end
$$;
comment on function private.let_people_write(text, public.user_role) is
  'Opens a table about devices to people, and lets those with a role write it. It has a column device_id.';

create function private.show_to_devices(table_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('grant select on public.%I to device', table_name);
  execute format(
    'create policy "Devices read what is theirs" on public.%I for select to device
     using (device_id = any (array(select private.my_device_ids())))',
    table_name
  );
end
$$;
comment on function private.show_to_devices(text) is
  'Lets a device read of a table about devices what is about itself and those behind it.';

revoke execute on function
  private.open_to_people(text), private.let_people_write(text, public.user_role), private.show_to_devices(text)
  from public;

-- The hub looks up here which number each of its device keys has.
alter table public.devices enable row level security;
grant select, insert, update, delete on public.devices to service_role;
grant select (id, device_key, name, kind, hub_id, status) on public.devices to device;
create policy "Devices read themselves and those they send for" on public.devices for select to device
using (id = any (array(select private.ids_i_send_for())));

-- Never deleted by people: rows and ledger of a device outlive its use. Status decides about that.
grant select on public.devices to authenticated;
grant insert (
  device_key, name, kind, hub_id, is_roaming, tenant_id, site_id, building, floor, room, location, latitude, longitude,
  offline_after_s, metadata
) on public.devices to authenticated;
grant update (
  name, status, hub_id, is_roaming, tenant_id, site_id, building, floor, room, location, latitude, longitude,
  offline_after_s, metadata, revoked_at
) on public.devices to authenticated;
create policy "People see the devices of their tenants" on public.devices for select to authenticated
using (tenant_id = any (array(select private.tenant_ids_for('viewer'))));
-- What is added so is pending, the default, until somebody approves it.
create policy "Admins add devices to their tenants" on public.devices for insert to authenticated
with check (tenant_id = any (array(select private.tenant_ids_for('admin'))));
create policy "Admins change the devices of their tenants" on public.devices for update to authenticated
using (tenant_id = any (array(select private.tenant_ids_for('admin'))))
with check (tenant_id = any (array(select private.tenant_ids_for('admin'))));

alter table public.sites enable row level security;
grant select, insert, update, delete on public.sites to service_role;
-- Not the number: with explicit ones one could take the next numbers from everybody.
grant select, delete,
  insert (tenant_id, name, time_zone, latitude, longitude),
  update (tenant_id, name, time_zone, latitude, longitude)
  on public.sites to authenticated;
create policy "People see the sites of their tenants" on public.sites for select to authenticated
using (tenant_id = any (array(select private.tenant_ids_for('viewer'))));
create policy "Admins add sites to their tenants" on public.sites for insert to authenticated
with check (tenant_id = any (array(select private.tenant_ids_for('admin'))));
create policy "Admins change the sites of their tenants" on public.sites for update to authenticated
using (tenant_id = any (array(select private.tenant_ids_for('admin'))))
with check (tenant_id = any (array(select private.tenant_ids_for('admin'))));
create policy "Admins remove the sites of their tenants" on public.sites for delete to authenticated
using (tenant_id = any (array(select private.tenant_ids_for('admin'))));
