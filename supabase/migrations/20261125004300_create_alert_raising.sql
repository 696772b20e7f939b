-- What follows when an alert is raised or cleared: its history, those who are told, those who look.
-- Whoever calls these holds what keeps an alert single: the state of the rule and device, or the state of the device.

create function private.after_quiet_hours(quiet_from time, quiet_until time, time_zone text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select case
    when local.at::time >= quiet_from and local.at::time < quiet_until
      or quiet_from > quiet_until and (local.at::time >= quiet_from or local.at::time < quiet_until)
    then (
      local.at::date + quiet_until
      + case when local.at::time >= quiet_until then interval '1 day' else interval '0' end
    ) at time zone time_zone
    else now()
  end
  from (select now() at time zone time_zone as at) as local;
$$;
comment on function private.after_quiet_hours(time, time, text) is
  'When one may send: now, or when the quiet hours end. They may reach over midnight.';

create function private.queue_notifications(alert public.alerts, event_type text)
returns void
language sql
set search_path = ''
as $$
  insert into public.alert_notifications (
    alert_id, notification_rule_id, event_type, tenant_id, user_id, channel_type, address, next_attempt_at
  )
  select
    alert.id, rule.id, queue_notifications.event_type, rule.tenant_id, rule.user_id, rule.channel_type, rule.address,
    case
      when rule.quiet_from is null or alert.severity = 'critical' then now()
      else private.after_quiet_hours(rule.quiet_from, rule.quiet_until, rule.time_zone)
    end
  from public.alert_notification_rules as rule
  left join public.devices as device on device.id = alert.device_id
  where (
      (alert.device_id is null and rule.tenant_id is null)
      or rule.tenant_id = any (array(
        select private.tenants_above(owned.tenant_id) from public.devices as owned where owned.id = alert.device_id
      ))
    )
    and rule.is_enabled and rule.severity_min <= alert.severity
    and (rule.site_id is null or rule.site_id = device.site_id)
    and (
      rule.tag_name is null or exists (
        select from public.device_tags as tag
        where tag.device_id = device.id and tag.tag_name = rule.tag_name
          and (rule.tag_value is null or tag.tag_value = rule.tag_value)
      )
    )
    -- Whoever left, or was given another tenant, is told nothing more.
    and (
      rule.user_id is null or exists (
        select from public.profiles as person
        where person.id = rule.user_id and person.is_active and (
          person.role = 'superadmin' or person.tenant_id in (select private.tenants_above(device.tenant_id))
        )
      )
    )
    -- That it is over interests those who know that it began.
    and (
      queue_notifications.event_type = 'raised' or (
        rule.is_told_of_clearing and exists (
          select from public.alert_notifications as told
          where told.alert_id = alert.id and told.notification_rule_id = rule.id and told.event_type = 'raised'
        )
      )
    )
  -- A rule that is being deleted at this moment is waited for and left out.
  for key share of rule
  on conflict on constraint alert_notifications_once do nothing;
$$;
comment on function private.queue_notifications(public.alerts, text) is
  'Puts into the queue what everybody who is to know of this alert is sent.';

create function private.broadcast_alert(alert public.alerts, event_type text)
returns void
language sql
set search_path = ''
as $$
  select private.broadcast(
    'tenant:' || device.tenant_id,
    'alert',
    jsonb_build_object(
      'event_type', event_type,
      'alert_id', alert.id,
      'device_id', alert.device_id,
      'rule_id', alert.rule_id,
      'alert_type', alert.alert_type,
      'severity', alert.severity,
      'title', alert.title,
      'message', alert.message,
      'value', alert.value,
      'is_active', alert.is_active,
      'is_acknowledged', alert.is_acknowledged,
      'raised_at', alert.raised_at,
      'cleared_at', alert.cleared_at
    )
  )
  from public.devices as device where device.id = alert.device_id;
$$;
comment on function private.broadcast_alert(public.alerts, text) is 'Tells those who look at the tenant.';

create function private.note_alert_event(alert public.alerts, event_type text, note text default null)
returns void
language sql
set search_path = ''
as $$
  insert into public.alert_events (alert_id, device_id, event_type, user_id, note)
  select
    alert.id, device.id, event_type,
    -- What a device set off is nobody's doing.
    case when private.my_device_id() is null then private.my_user_id() end, left(note, 1000)
  -- None where the device itself is being deleted.
  from public.devices as device where device.id = alert.device_id;
  select private.broadcast_alert(alert, event_type);
$$;
comment on function private.note_alert_event(public.alerts, text, text) is 'Adds to the history of an alert and tells it live.';

create function private.raise_alert(alert public.alerts)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  raised public.alerts;
begin
  insert into public.alerts (
    rule_id, device_id, alert_type, severity, title, message, value, threshold, recorded_at, raised_at,
    silenced_until, details
  )
  values (
    alert.rule_id, alert.device_id, alert.alert_type, alert.severity, left(alert.title, 500), left(alert.message, 1000),
    alert.value, alert.threshold, alert.recorded_at, alert.raised_at,
    private.silence_of(alert.device_id, alert.rule_id), alert.details
  )
  on conflict do nothing
  returning * into raised;
  if raised.id is null then
    -- Only where a state was lost: the one that is active goes on.
    return (
      select active.id from public.alerts as active
      where active.device_id = alert.device_id and active.is_active
        and active.rule_id is not distinct from alert.rule_id and active.alert_type = alert.alert_type
    );
  end if;
  perform private.note_alert_event(raised, 'raised');
  if raised.silenced_until is null then
    perform private.queue_notifications(raised, 'raised');
  end if;
  return raised.id;
end
$$;
comment on function private.raise_alert(public.alerts) is 'Raises an alert, unless its rule and device have one. Returns its id.';

create function private.clear_alert(
  alert_id bigint, at timestamptz, event_type text default 'cleared', note text default null
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  cleared public.alerts;
begin
  update public.alerts as alert set
    is_active = false,
    cleared_at = greatest(at, alert.raised_at),
    silenced_until = null,
    resolved_at = case when event_type = 'resolved' then now() end,
    resolved_by = case when event_type = 'resolved' then private.my_user_id() end
  where alert.id = clear_alert.alert_id and alert.is_active
  returning * into cleared;
  if not found then
    return false;
  end if;
  perform private.note_alert_event(cleared, event_type, note);
  -- Nobody is woken for what was over before anybody could know: it waited for the end of quiet hours, or its rows came
  -- an hour late, after an outage.
  delete from public.alert_notifications as waiting
  where waiting.alert_id = cleared.id and waiting.status = 'pending' and waiting.attempts = 0
    and (waiting.next_attempt_at > now() or cleared.cleared_at < now() - interval '1 hour');
  perform private.queue_notifications(cleared, 'cleared');
  return true;
end
$$;
comment on function private.clear_alert(bigint, timestamptz, text, text) is
  'Ends an alert: cleared by the device, resolved by hand or withdrawn. False when it was over.';

revoke execute on function
  private.after_quiet_hours(time, time, text), private.queue_notifications(public.alerts, text),
  private.broadcast_alert(public.alerts, text), private.note_alert_event(public.alerts, text, text),
  private.raise_alert(public.alerts), private.clear_alert(bigint, timestamptz, text, text)
  from public;
