-- The delivery of notifications: whoever delivers leases some, and says how it went.

create function public.claim_notifications(batch_size integer default 50)
returns table (
  notification_id bigint, channel_type text, address text, severity text, title text, body text, payload jsonb,
  attempts integer
)
language sql
security definer
set search_path = ''
as $$
  -- Whoever took one for the last time and did not come back has failed.
  update public.alert_notifications as lost
  set status = 'failed', last_error = coalesce(lost.last_error, 'nobody said how the last attempt went')
  where lost.status = 'leased' and lost.attempts >= 5 and lost.next_attempt_at <= now();

  with due as (
    select waiting.id
    from public.alert_notifications as waiting
    where waiting.status in ('pending', 'leased') and waiting.attempts < 5 and waiting.next_attempt_at <= now()
    order by waiting.next_attempt_at, waiting.id
    limit least(greatest(batch_size, 0), 1000)
    for update skip locked
  ),
  leased as (
    update public.alert_notifications as taken
    set status = 'leased', attempts = taken.attempts + 1, next_attempt_at = now() + interval '60 seconds'
    from due where taken.id = due.id
    returning taken.*
  )
  select
    leased.id, leased.channel_type, leased.address, alert.severity::text,
    case leased.event_type when 'cleared' then 'Over: ' else '' end || alert.title,
    alert.message,
    jsonb_build_object(
      'event_type', leased.event_type, 'alert_id', alert.id, 'alert_type', alert.alert_type,
      'severity', alert.severity, 'title', alert.title, 'message', alert.message,
      'device_id', alert.device_id, 'device_key', device.device_key, 'device_name', device.name,
      'value', alert.value, 'threshold', alert.threshold, 'is_active', alert.is_active,
      'raised_at', alert.raised_at, 'cleared_at', alert.cleared_at, 'details', alert.details
    ),
    leased.attempts
  from leased
  join public.alerts as alert on alert.id = leased.alert_id
  left join public.devices as device on device.id = alert.device_id
  order by alert.severity desc, leased.id;
$$;
comment on function public.claim_notifications(integer) is
  'Leases notifications that are due, for 60 seconds. Who does not settle them by then leaves them to others.';

create function public.settle_notification(
  notification_id bigint, attempts integer, is_sent boolean, error text default null
)
returns void
language sql
security definer
set search_path = ''
as $$
  update public.alert_notifications as leased set
    status = case when is_sent then 'sent' when leased.attempts >= 5 then 'failed' else 'pending' end,
    sent_at = case when is_sent then now() end,
    last_error = case when not is_sent then left(coalesce(error, 'no reason given'), 500) end,
    -- 1, 2, 4, 8 minutes.
    next_attempt_at = now() + interval '1 minute' * 2 ^ (leased.attempts - 1)
  where leased.id = settle_notification.notification_id and leased.status = 'leased'
    -- Every lease is one attempt more: who comes late changes nothing of what another one holds by now.
    and leased.attempts = settle_notification.attempts;
$$;
comment on function public.settle_notification(bigint, integer, boolean, text) is
  'Says how a delivery went, with the attempts of the claim. Failed ones are due again after 1, 2, 4 and 8 minutes; the fifth failure is the last.';

revoke execute on function
  public.claim_notifications(integer), public.settle_notification(bigint, integer, boolean, text)
  from public, anon, authenticated;
grant execute on function
  public.claim_notifications(integer), public.settle_notification(bigint, integer, boolean, text) to service_role;
