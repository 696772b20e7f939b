-- Devices that fall silent, noticed by a job, and devices that are heard again, noticed by their rows.

create function private.tell_status(device_ids integer[])
returns void
language sql
set search_path = ''
as $$
  select private.broadcast(
    'tenant:' || device.tenant_id,
    'status',
    jsonb_build_object('devices', jsonb_agg(jsonb_build_object(
      'device_id', state.device_id, 'status', state.status, 'last_seen_at', state.last_seen_at, 'version', state.version
    ) order by state.device_id))
  )
  from public.device_state as state
  join public.devices as device on device.id = state.device_id
  where state.device_id = any (device_ids)
  group by device.tenant_id;
$$;
comment on function private.tell_status(integer[]) is 'Tells those who look which devices are online or offline now.';

create function private.mark_offline()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  fallen integer[];
begin
  with silent as (
    select state.device_id
    from public.device_state as state
    join public.devices as device on device.id = state.device_id
    where state.status = 'online' and device.status = 'active' and device.revoked_at is null
      and state.last_seen_at < now() - make_interval(secs => device.offline_after_s)
    order by state.device_id
    -- Whose batch is arriving at this moment is not silent.
    for update of state skip locked
  ),
  changed as (
    update public.device_state as state set status = 'offline', version = state.version + 1
    from silent where state.device_id = silent.device_id
    returning state.device_id, state.last_seen_at
  ),
  opened as (
    insert into public.device_downtime (device_id, started_at)
    select changed.device_id, changed.last_seen_at from changed order by changed.device_id
    on conflict do nothing
  )
  select array_agg(changed.device_id) into fallen from changed;
  perform private.tell_status(fallen);
  return coalesce(cardinality(fallen), 0);
end
$$;
comment on function private.mark_offline() is
  'Devices in service that are silent for longer than they may be become offline, and their downtime begins. Returns how many.';

create view private.offline_devices with (security_invoker = true) as
select
  device.id as device_id, device.name, device.kind, downtime.id as downtime_id, downtime.started_at,
  hub.id as hub_id, hub.name as hub_name,
  coalesce(hub_state.status = 'offline', false) as is_hub_offline,
  -- A hub that was not heard since is about to be found silent too; a moment later it is known whose fault it is.
  coalesce(
    hub_state.last_seen_at < downtime.started_at + interval '1 minute'
    or hub_state.last_seen_at < now() - make_interval(secs => hub.offline_after_s) / 2,
    false
  ) as is_hub_doubtful
from public.device_state as state
join public.devices as device on device.id = state.device_id
join public.device_downtime as downtime on downtime.device_id = device.id and downtime.ended_at is null
left join public.devices as hub on hub.id = device.hub_id and hub.status = 'active' and hub.revoked_at is null
left join public.device_state as hub_state on hub_state.device_id = hub.id
where state.status = 'offline' and device.status = 'active' and device.revoked_at is null;
comment on view private.offline_devices is 'Devices in service that are silent, since when, and how their hub is doing.';

create function private.raise_offline(silent private.offline_devices)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  rule public.alert_rules;
  alert public.alerts;
begin
  -- Of several rules the most severe one speaks.
  select found.* into rule
  from private.rule_devices as pair
  join public.alert_rules as found on found.id = pair.rule_id
  where pair.device_id = silent.device_id and found.rule_type = 'offline'
  order by found.severity desc, found.duration_s, found.id limit 1;
  if silent.started_at > now() - make_interval(secs => coalesce(rule.duration_s, 0)) or exists (
    select from public.alerts as earlier
    where earlier.device_id = silent.device_id and earlier.alert_type = 'device_offline'
      and earlier.raised_at > now() - make_interval(secs => coalesce(rule.cooldown_s, 0))
  ) then
    return null;
  end if;
  alert.device_id := silent.device_id;
  alert.alert_type := 'device_offline';
  alert.severity := coalesce(
    rule.severity, case when silent.kind = 'hub' then 'critical'::public.alert_severity else 'warning' end
  );
  alert.title := silent.name || ' is offline';
  alert.message := format(
    'Nothing heard since %s UTC.', to_char(silent.started_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS')
  );
  alert.value := round(extract(epoch from now() - silent.started_at));
  alert.recorded_at := silent.started_at;
  alert.raised_at := now();
  alert.details := jsonb_strip_nulls(jsonb_build_object('rule_name', rule.name));
  return private.raise_alert(alert);
end
$$;
comment on function private.raise_offline(private.offline_devices) is
  'Raises the alert about a silent device, as a rule of the type offline says, if there is one.';

create function private.alert_offline()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  silent private.offline_devices;
  raised integer := 0;
begin
  for silent in
    select offline.*
    from private.offline_devices as offline
    join public.device_state as state on state.device_id = offline.device_id
    where not exists (
      -- One for each downtime, even if somebody cleared it by hand.
      select from public.alerts as alert
      where alert.device_id = offline.device_id and alert.alert_type = 'device_offline'
        and alert.recorded_at >= offline.started_at
    )
    order by offline.device_id
    for update of state skip locked
  loop
    continue when silent.is_hub_doubtful and not silent.is_hub_offline;
    if silent.is_hub_offline then
      update public.device_downtime as downtime set reason = left('behind ' || silent.hub_name || ', which is offline', 500)
      where downtime.id = silent.downtime_id and downtime.reason is null;
    elsif private.raise_offline(silent) is not null then
      raised := raised + 1;
    end if;
  end loop;

  -- One alert speaks for all who are behind the hub.
  update public.alerts as alert
  set details = alert.details || jsonb_build_object('suppressed_device_ids', behind.device_ids)
  from (
    select offline.hub_id, jsonb_agg(offline.device_id order by offline.device_id) as device_ids
    from private.offline_devices as offline where offline.is_hub_offline group by offline.hub_id
  ) as behind
  where alert.device_id = behind.hub_id and alert.alert_type = 'device_offline' and alert.is_active
    and alert.details -> 'suppressed_device_ids' is distinct from behind.device_ids;
  return raised;
end
$$;
comment on function private.alert_offline() is
  'Raises alerts about silent devices, except behind a hub that is silent itself. Returns how many.';

create function private.first_row_after(device_id integer, after timestamptz, table_names text[])
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  table_name text;
  at timestamptz;
  earliest timestamptz;
begin
  foreach table_name in array table_names loop
    execute format(
      'select min(recorded_at) from public.%I where device_id = $1 and recorded_at > $2', table_name
    ) into at using device_id, after;
    earliest := least(earliest, at);
  end loop;
  return earliest;
end
$$;
comment on function private.first_row_after(integer, timestamptz, text[]) is
  'When the device recorded its first row after this moment, in these tables.';

create function private.note_return(device_ids integer[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  returned record;
  online integer[] := '{}';
begin
  for returned in
    update public.device_state as state set status = 'online', version = state.version + 1
    from public.devices as device
    where device.id = state.device_id and state.device_id = any (device_ids) and state.status = 'offline'
      -- Rows from before the silence, sent late, are no sign of life.
      and state.last_seen_at >= now() - make_interval(secs => device.offline_after_s)
    returning state.device_id, state.last_seen_at,
      array(select jsonb_object_keys(state.latest)) as table_names
  loop
    online := online || returned.device_id;
    -- What was recorded meanwhile and came now shortens the silence, however many batches it took.
    update public.device_downtime as downtime set ended_at = greatest(
      downtime.started_at,
      coalesce(
        private.first_row_after(returned.device_id, downtime.started_at, returned.table_names), returned.last_seen_at
      )
    )
    where downtime.device_id = returned.device_id and downtime.ended_at is null;
    perform private.clear_alert(alert.id, now())
    from public.alerts as alert
    where alert.device_id = returned.device_id and alert.alert_type = 'device_offline' and alert.is_active;
  end loop;
  if cardinality(online) > 0 then
    perform private.tell_status(online);
  end if;
end
$$;
comment on function private.note_return(integer[]) is
  'Those of these devices that are heard again, with rows of the present, are online: their downtime and alert end.';

revoke execute on function
  private.tell_status(integer[]), private.mark_offline(), private.raise_offline(private.offline_devices),
  private.alert_offline(), private.first_row_after(integer, timestamptz, text[]), private.note_return(integer[])
  from public;
