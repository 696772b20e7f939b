-- What operators do about alerts. Doing it twice, or two people at once, is the same as doing it once: the first counts.

create function private.find_alert(alert_id bigint)
returns public.alerts
language plpgsql
set search_path = ''
as $$
declare
  found_alert public.alerts;
begin
  select * into found_alert from public.alerts as alert
  where alert.id = find_alert.alert_id
    and (private.is_trusted() or alert.device_id in (select private.device_ids_for('operator')));
  if not found then
    raise exception 'there is no alert % that you may handle', alert_id
      using errcode = 'insufficient_privilege', hint = 'Operators handle the alerts of their tenants.';
  end if;
  -- In the order of those who judge: the state, then the alert.
  perform from private.alert_states as state
  where state.device_id = found_alert.device_id and state.rule_id = found_alert.rule_id for update;
  select * into found_alert from public.alerts as alert where alert.id = find_alert.alert_id for update;
  return found_alert;
end
$$;
comment on function private.find_alert(bigint) is 'Locks an alert for whoever may handle it. Others are not told whether it is there.';

create function public.acknowledge_alert(alert_id bigint, note text default null)
returns public.alerts
language plpgsql
security definer
set search_path = ''
as $$
declare
  alert public.alerts := private.find_alert(alert_id);
begin
  if not alert.is_acknowledged then
    update public.alerts as seen
    set is_acknowledged = true, acknowledged_at = now(), acknowledged_by = private.my_user_id()
    where seen.id = alert.id returning * into alert;
    perform private.note_alert_event(alert, 'acknowledged', note);
    perform private.note_audit('update', 'alerts', alert.id::text, jsonb_build_object('is_acknowledged', true, 'note', note));
  end if;
  return alert;
end
$$;
comment on function public.acknowledge_alert(bigint, text) is 'Somebody has seen it and sees to it. The alert stays active until cleared.';

create function public.resolve_alert(alert_id bigint, note text default null)
returns public.alerts
language plpgsql
security definer
set search_path = ''
as $$
declare
  alert public.alerts := private.find_alert(alert_id);
begin
  if private.clear_alert(alert.id, now(), 'resolved', note) then
    -- Still so when the cooldown is over: it comes again.
    update private.alert_states as state set alert_id = null, breached_since = null, last_raised_at = now()
    where state.device_id = alert.device_id and state.rule_id = alert.rule_id and state.alert_id = alert.id;
    select * into alert from public.alerts as resolved where resolved.id = alert.id;
    perform private.note_audit('update', 'alerts', alert.id::text, jsonb_build_object('is_active', false, 'note', note));
  end if;
  return alert;
end
$$;
comment on function public.resolve_alert(bigint, text) is
  'Ends an alert by hand. If nothing changed it is raised again after the cooldown of its rule.';

create function private.may_silence(device_id integer, rule_id integer)
returns boolean
language sql
stable
set search_path = ''
as $$
  select case
    -- A rule for all devices is silenced by those who look after all of them.
    when may_silence.device_id is null then exists (
      select from public.alert_rules as rule
      where rule.id = may_silence.rule_id
        and (private.is_trusted() or rule.tenant_id in (select private.tenant_ids_for('operator')))
    )
    else exists (
      select from public.devices as device
      where device.id = may_silence.device_id
        and (private.is_trusted() or device.tenant_id in (select private.tenant_ids_for('operator')))
    ) and (
      may_silence.rule_id is null or exists (
        select from public.alert_rules as rule
        where rule.id = may_silence.rule_id and private.is_of_tenant(may_silence.device_id, rule.tenant_id)
      )
    )
  end;
$$;
comment on function private.may_silence(integer, integer) is 'May the person silence this device, or this rule?';

create function public.silence_alerts(
  until_time timestamptz, reason text, device_id integer default null, rule_id integer default null
)
returns public.alert_silences
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_variable
declare
  silence public.alert_silences;
begin
  if not private.may_silence(device_id, rule_id) then
    raise exception 'there is no such device or rule that you may silence'
      using errcode = 'insufficient_privilege', hint = 'Operators silence the devices and rules of their tenants.';
  end if;
  if not coalesce(until_time <= now() + interval '366 days', false) then
    raise exception 'a silence ends within a year' using errcode = 'check_violation', hint = 'Disable the rule instead.';
  end if;
  -- Alerts of one device are also locked by those who judge it, and by those who change rules, in orders of their own.
  lock table private.alert_states in row share mode;
  perform from public.device_state as state where state.device_id = silence_alerts.device_id for update;
  insert into public.alert_silences as known (device_id, rule_id, silenced_until, reason, created_by)
  values (device_id, rule_id, until_time, reason, private.my_user_id())
  on conflict on constraint alert_silences_one_each do update set
    silenced_until = excluded.silenced_until, reason = excluded.reason, created_by = excluded.created_by,
    created_at = now()
  returning * into silence;

  perform private.note_alert_event(silenced, 'silenced', reason)
  from private.hold_notifications(device_id, rule_id) as silenced;
  return silence;
end
$$;
comment on function public.silence_alerts(timestamptz, text, integer, integer) is
  'Until then nobody is told of alerts of this device, of this rule, or of this rule for this device. Now, or earlier: ends it.';

create function private.hold_notifications(device_id integer, rule_id integer)
returns setof public.alerts
language sql
set search_path = ''
as $$
  with silenced as (
    update public.alerts as alert
    -- An end that is past makes the job tell of it within a minute.
    set silenced_until = coalesce(private.silence_of(alert.device_id, alert.rule_id), now())
    from (
      select active.id from public.alerts as active
      where active.is_active
        and (hold_notifications.device_id is null or active.device_id = hold_notifications.device_id)
        and (hold_notifications.rule_id is null or active.rule_id = hold_notifications.rule_id)
      order by active.device_id, active.id for update
    ) as concerned
    where alert.id = concerned.id
      and (alert.silenced_until is not null or private.silence_of(alert.device_id, alert.rule_id) is not null)
    returning alert.*
  ),
  held as (
    delete from public.alert_notifications as waiting using silenced
    where waiting.alert_id = silenced.id and waiting.status = 'pending' and waiting.event_type = 'raised'
  )
  select * from silenced;
$$;
comment on function private.hold_notifications(integer, integer) is
  'Takes back what was not delivered yet about active alerts that are silent now. Returns these.';

revoke execute on function
  private.find_alert(bigint), private.may_silence(integer, integer), private.hold_notifications(integer, integer)
  from public;
revoke execute on function
  public.acknowledge_alert(bigint, text), public.resolve_alert(bigint, text),
  public.silence_alerts(timestamptz, text, integer, integer)
  from public, anon, authenticated;
grant execute on function
  public.acknowledge_alert(bigint, text), public.resolve_alert(bigint, text),
  public.silence_alerts(timestamptz, text, integer, integer)
  to authenticated, service_role;
