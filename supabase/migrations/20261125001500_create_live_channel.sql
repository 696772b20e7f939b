-- Live: what changed reaches those who look, over private topics of Realtime. A message is a wake-up with the newest
-- values; the rows are the truth. Partitioned telemetry is not published: one message for each batch and tenant is.

create function private.can_broadcast()
returns boolean
language sql
stable
set search_path = ''
as $$
  -- Asked of the catalog: naming a schema that one may not use is an error, and no reason to lose a batch.
  select exists (
    select from pg_catalog.pg_proc as function
    where function.proname = 'send'
      and function.pronamespace = (select oid from pg_catalog.pg_namespace where nspname = 'realtime')
      and has_schema_privilege(function.pronamespace, 'usage')
      and has_function_privilege(function.oid, 'execute')
  );
$$;
comment on function private.can_broadcast() is
  'False on a bare Postgres, which has no Realtime, and where its schema may not be used.';
revoke execute on function private.can_broadcast() from public;

create function private.broadcast(topic text, event text, payload jsonb)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if private.can_broadcast() then
    perform realtime.send(payload, event, topic, true);
  end if;
end
$$;
comment on function private.broadcast(text, text, jsonb) is
  'Sends a message to a private topic: tenant:<id> for people, hub:<device id> for one hub.';

create function private.broadcast_batch(table_name text, device_ids integer[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not private.can_broadcast() then
    return;
  end if;
  perform private.broadcast(
    'tenant:' || device.tenant_id,
    'readings',
    jsonb_build_object(
      'table', broadcast_batch.table_name,
      'devices', jsonb_agg(jsonb_build_object(
        'device_id', state.device_id,
        'status', state.status,
        'last_seen_at', state.last_seen_at,
        'version', state.version,
        'latest', state.latest -> broadcast_batch.table_name
      ) order by state.device_id)
    )
  )
  from public.device_state as state
  join public.devices as device on device.id = state.device_id
  where state.device_id = any (device_ids)
  group by device.tenant_id;
end
$$;
comment on function private.broadcast_batch(text, integer[]) is
  'Tells the tenants of these devices what their newest row in a table is: one message for each tenant.';

create function private.may_listen(topic text)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select case
    when topic ~ '^tenant:[0-9]{1,9}$' then
      split_part(topic, ':', 2)::integer in (select private.tenant_ids_for('viewer'))
    when topic ~ '^hub:[0-9]{1,9}$' then
      split_part(topic, ':', 2)::integer in (select private.my_device_ids())
    else false
  end;
$$;
comment on function private.may_listen(text) is
  'People listen to their tenants and those below, a device to itself and those behind it.';

revoke execute on function
  private.broadcast(text, text, jsonb), private.broadcast_batch(text, integer[]), private.may_listen(text)
  from public;
grant execute on function private.may_listen(text) to authenticated, device;

-- Nobody but the database sends.
do $$
begin
  if to_regclass('realtime.messages') is null then
    return;
  end if;
  create policy "Listen to what you may read" on realtime.messages for select to authenticated, device
  using (extension = 'broadcast' and private.may_listen((select realtime.topic())));
  begin
    grant usage on schema realtime to device;
    grant select on realtime.messages to device;
  exception when insufficient_privilege then
    raise warning 'devices cannot listen here, they will poll: grant usage on schema realtime and select on realtime.messages to device';
  end;
end
$$;
