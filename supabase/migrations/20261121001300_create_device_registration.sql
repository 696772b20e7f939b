-- How a device comes to be known.

create function public.register_device(
  device_key text,
  kind text,
  secret_hash text,
  hub_key text default null,
  name text default null,
  tenant text default 'Unassigned',
  is_approved boolean default true,
  is_roaming boolean default false
)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  hub public.devices;
  new_id integer;
  tenant_id integer;
begin
  if hub_key is not null then
    select * into hub from public.devices where devices.device_key = register_device.hub_key;
    if not found then
      raise exception 'there is no hub with the key "%"', hub_key
        using errcode = 'foreign_key_violation', hint = 'Register the hub first.';
    end if;
  end if;
  if hub.id is null then
    insert into public.tenants (tenant_type, name)
    select 'customer', tenant where not exists (select from public.tenants where tenants.name = register_device.tenant)
    on conflict on constraint tenants_name_unique_below_parent do nothing;
    -- At the top, where only superadmins add tenants, or else the only one. Names are given by the tenants themselves:
    -- the oldest of several could be somebody who waits for the hubs of others.
    select min(tenants.id) into tenant_id from public.tenants
    where tenants.name = register_device.tenant
    group by tenants.parent_id is null
    having count(*) = 1
    order by tenants.parent_id is null desc limit 1;
    if tenant_id is null then
      raise exception 'there are several tenants with the name "%"', tenant
        using errcode = 'cardinality_violation', hint = 'Rename one of them, or move the device after it was registered.';
    end if;
  end if;
  insert into public.devices (device_key, name, kind, status, hub_id, is_roaming, tenant_id, site_id)
  values (
    device_key, coalesce(name, device_key), kind,
    case when is_approved then 'approved' else 'pending' end::public.device_status,
    hub.id, is_roaming, coalesce(hub.tenant_id, tenant_id), hub.site_id
  )
  returning devices.id into new_id;
  if secret_hash is not null then
    insert into private.device_secrets (device_id, secret_hash)
    values (new_id, decode(secret_hash, 'hex'));
  end if;
  return new_id;
end
$$;
comment on function public.register_device(text, text, text, text, text, text, boolean, boolean) is
  'Makes a device, approved unless said otherwise, and returns its number. secret_hash: SHA-256 of its secret in hex, or null for a device that only speaks through its hub, whose tenant it shares. is_roaming: any hub of the tenant may send its rows.';

revoke execute on function
  public.register_device(text, text, text, text, text, text, boolean, boolean) from public, anon, authenticated;
grant execute on function
  public.register_device(text, text, text, text, text, text, boolean, boolean) to service_role;
