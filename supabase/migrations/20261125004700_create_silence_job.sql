-- What the job does each minute beside devices that fell silent: values that fell silent, and alerts that nothing holds
-- up any more.

create function private.seed_stale_states()
returns void
language sql
set search_path = ''
as $$
  -- Only metrics that a device has sent: a tank without a probe for pH would be stale for ever. But whoever names the
  -- device means it.
  insert into private.alert_states (device_id, rule_id, last_at)
  select pair.device_id, rule.id,
    case
      when state.latest #>> array[rule.table_name, rule.metric] is not null
        then (state.latest #>> array[rule.table_name, 'recorded_at'])::timestamptz
      else rule.created_at
    end
  from private.rule_devices as pair
  join public.alert_rules as rule on rule.id = pair.rule_id and rule.rule_type = 'stale'
  left join public.device_state as state on state.device_id = pair.device_id
  where (state.latest #>> array[rule.table_name, rule.metric] is not null or rule.device_id is not null)
    and not exists (
      select from private.alert_states as known
      where known.device_id = pair.device_id and known.rule_id = rule.id
    )
  order by pair.device_id, rule.id
  on conflict do nothing;
$$;
comment on function private.seed_stale_states() is
  'Begins to watch for stale values where the rule is newer than the last value.';

create function private.alert_stale()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  silent record;
  raised integer := 0;
  raised_id bigint;
begin
  perform private.seed_stale_states();
  for silent in
    select state.device_id, state.last_at, rule
    from private.alert_states as state
    join public.alert_rules as rule on rule.id = state.rule_id and rule.rule_type = 'stale'
    join private.rule_devices as pair on pair.rule_id = state.rule_id and pair.device_id = state.device_id
    where state.alert_id is null
      and state.last_at < now() - make_interval(secs => rule.stale_after_s + rule.duration_s)
      and coalesce(state.last_raised_at < now() - make_interval(secs => rule.cooldown_s), true)
      -- Its hub tells of that.
      and not exists (
        select from public.devices as device
        join public.devices as hub on hub.id = device.hub_id and hub.status = 'active' and hub.revoked_at is null
        join public.device_state as hub_state on hub_state.device_id = hub.id
        where device.id = state.device_id and (
          hub_state.status = 'offline' or hub_state.last_seen_at < now() - make_interval(secs => hub.offline_after_s) / 2
        )
      )
    order by state.device_id, state.rule_id
    for update of state skip locked
  loop
    raised_id := private.note_breach(
      silent.rule, silent.device_id, silent.last_at, now(), round(extract(epoch from now() - silent.last_at))
    );
    update private.alert_states as state set alert_id = raised_id, last_raised_at = now()
    where state.device_id = silent.device_id and state.rule_id = (silent.rule).id;
    raised := raised + 1;
  end loop;
  return raised;
end
$$;
comment on function private.alert_stale() is 'Raises alerts about values that did not come. Returns how many.';

create function private.withdraw_alerts()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  idle record;
  withdrawn integer := 0;
begin
  update public.device_downtime as downtime
  set ended_at = greatest(downtime.started_at, coalesce(device.revoked_at, now())), reason = 'taken out of service'
  from public.devices as device
  where device.id = downtime.device_id and downtime.ended_at is null
    and (device.status <> 'active' or device.revoked_at is not null);

  -- States first, as everywhere; what somebody is judging at this moment is looked at in a minute.
  for idle in
    select state.device_id, state.rule_id, state.alert_id
    from private.alert_states as state
    where (state.alert_id is not null or state.breached_since is not null) and not exists (
      select from private.rule_devices as pair
      where pair.rule_id = state.rule_id and pair.device_id = state.device_id
    )
    order by state.device_id, state.rule_id
    for update of state skip locked
  loop
    if private.clear_alert(idle.alert_id, now(), 'withdrawn', 'the rule does not hold for the device any more') then
      withdrawn := withdrawn + 1;
    end if;
    delete from private.alert_states as state
    where state.device_id = idle.device_id and state.rule_id = idle.rule_id;
  end loop;

  for idle in
    select alert.id as alert_id
    from public.alerts as alert
    join public.devices as device on device.id = alert.device_id
    where alert.is_active and alert.alert_type = 'device_offline'
      and (device.status <> 'active' or device.revoked_at is not null)
    order by alert.device_id
    for update of alert skip locked
  loop
    perform private.clear_alert(idle.alert_id, now(), 'withdrawn', 'the device was taken out of service');
    withdrawn := withdrawn + 1;
  end loop;
  return withdrawn;
end
$$;
comment on function private.withdraw_alerts() is
  'Ends alerts and downtime of devices that were taken out of service or moved away from the rule. Returns how many alerts.';

create function private.end_silences()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  told public.alerts;
  ended integer := 0;
begin
  for told in
    update public.alerts as alert set silenced_until = null
    from (
      select waiting.id from public.alerts as waiting
      where waiting.is_active and waiting.silenced_until <= now()
      order by waiting.device_id, waiting.id for update skip locked
    ) as due
    where alert.id = due.id returning alert.*
  loop
    perform private.queue_notifications(told, 'raised');
    ended := ended + 1;
  end loop;
  delete from public.alert_silences as silence where silence.silenced_until < now() - interval '30 days';
  return ended;
end
$$;
comment on function private.end_silences() is 'Tells of alerts that outlast their silence. Returns how many.';

create function private.find_silent()
returns jsonb
language sql
security definer
set search_path = ''
as $$
  select jsonb_build_object('offline', private.mark_offline())
    || jsonb_build_object('offline_alerts', private.alert_offline())
    || jsonb_build_object('stale_alerts', private.alert_stale())
    || jsonb_build_object('withdrawn_alerts', private.withdraw_alerts())
    || jsonb_build_object('ended_silences', private.end_silences());
$$;
comment on function private.find_silent() is
  'The job of each minute: devices and values that fell silent. Returns how many of what. Several at once do no harm.';

revoke execute on function
  private.seed_stale_states(), private.alert_stale(), private.withdraw_alerts(), private.end_silences(),
  private.find_silent()
  from public;
