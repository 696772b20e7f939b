-- How a device comes to be known, and how it proves later that it is that device.

create function public.register_device(
  device_key text,
  kind text,
  secret_hash text,
  hub_key text default null,
  name text default null,
  tenant text default 'Unassigned',
  is_approved boolean default true
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
    -- The oldest, where several distributors have one of this name.
    select tenants.id into tenant_id from public.tenants
    where tenants.name = register_device.tenant order by tenants.id limit 1;
  end if;
  insert into public.devices (device_key, name, kind, status, hub_id, tenant_id, site_id)
  values (
    device_key, coalesce(name, device_key), kind,
    case when is_approved then 'approved' else 'pending' end::public.device_status,
    hub.id, coalesce(hub.tenant_id, tenant_id), hub.site_id
  )
  returning devices.id into new_id;
  if secret_hash is not null then
    insert into private.device_secrets (device_id, secret_hash)
    values (new_id, decode(secret_hash, 'hex'));
  end if;
  return new_id;
end
$$;
comment on function public.register_device(text, text, text, text, text, text, boolean) is
  'Makes a device, approved unless said otherwise, and returns its number. secret_hash: SHA-256 of its secret in hex, or null for a device that only speaks through its hub, whose tenant it shares.';

create table private.device_token_requests (
  device_id integer not null references public.devices (id) on delete cascade,
  -- Counted apart, so that somebody who guesses cannot lock the device itself out.
  is_granted boolean not null,
  minute timestamptz not null,
  requests integer not null,
  primary key (device_id, is_granted)
);
comment on table private.device_token_requests is 'Token requests of the current minute, to hold them to ten.';
alter table private.device_token_requests enable row level security;
create policy "Nobody reads token requests" on private.device_token_requests for select to device using (false);

create function public.authorize_device(device_key text, secret_hash text)
returns table (verdict text, device_id integer)
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  device public.devices;
  is_right boolean;
  counted integer;
begin
  select * into device from public.devices where devices.device_key = authorize_device.device_key;
  -- Unknown keys are not counted: an attacker may have any number of them.
  if not found then
    return query select 'refused'::text, null::integer;
    return;
  end if;
  is_right := exists (
    select from private.device_secrets as kept
    where kept.device_id = device.id and kept.secret_hash = decode(authorize_device.secret_hash, 'hex')
  ) and device.revoked_at is null and device.status in ('approved', 'active');

  insert into private.device_token_requests as seen (device_id, is_granted, minute, requests)
  values (device.id, is_right, date_trunc('minute', now()), 1)
  on conflict (device_id, is_granted) do update set
    minute = excluded.minute,
    requests = case when seen.minute = excluded.minute then seen.requests + 1 else 1 end
  returning seen.requests into counted;

  return query select
    case when counted > 10 then 'limited' when is_right then 'granted' else 'refused' end,
    case when counted <= 10 and is_right then device.id end;
end
$$;
comment on function public.authorize_device(text, text) is
  'Says whether a device may have a token now: granted with its number, refused, or limited after ten requests in a minute. secret_hash: SHA-256 of the secret in hex.';

revoke execute on function
  public.register_device(text, text, text, text, text, text, boolean), public.authorize_device(text, text)
  from public, anon, authenticated;
grant execute on function
  public.register_device(text, text, text, text, text, text, boolean), public.authorize_device(text, text)
  to service_role;
