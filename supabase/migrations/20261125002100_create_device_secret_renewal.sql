-- A new secret for a device that is known: the first one of a device the dashboard registered, or instead of a lost one.

create function public.set_device_secret(device_key text, secret_hash text)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  device public.devices;
begin
  select * into device from public.devices
  where devices.device_key = set_device_secret.device_key
    and (private.is_trusted() or devices.tenant_id in (select private.tenant_ids_for('admin')));
  if not found then
    raise exception 'there is no device "%" that you may change', device_key
      using errcode = 'insufficient_privilege', hint = 'Admins give secrets to the devices of their tenants.';
  end if;
  insert into private.device_secrets as kept (device_id, secret_hash)
  values (device.id, decode(set_device_secret.secret_hash, 'hex'))
  on conflict (device_id) do update set secret_hash = excluded.secret_hash, created_at = now();
  perform private.end_device_sessions(device.id);
  perform private.note_audit('update', 'device_secrets', device.id::text);
  return device.id;
end
$$;
comment on function public.set_device_secret(text, text) is
  'Replaces the secret of a device and returns its number; what was signed in with the old one ends with its token. secret_hash: SHA-256 of 32 random bytes in hex.';

revoke execute on function public.set_device_secret(text, text) from public, anon, authenticated;
grant execute on function public.set_device_secret(text, text) to authenticated, service_role;
