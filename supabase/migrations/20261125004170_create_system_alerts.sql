-- Alerts about the cloud itself, such as a job that stands still.

create function private.note_system_alert(title text, message text, is_active boolean)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if note_system_alert.is_active then
    insert into public.alerts (alert_type, severity, title, message, recorded_at, raised_at)
    values ('system', 'critical', left(note_system_alert.title, 500), left(note_system_alert.message, 1000), now(), now())
    on conflict do nothing;
  else
    update public.alerts set is_active = false, cleared_at = now()
    where alerts.alert_type = 'system' and alerts.title = left(note_system_alert.title, 500) and alerts.is_active;
  end if;
end
$$;
comment on function private.note_system_alert(text, text, boolean) is
  'Raises or clears an alert that is about no device; one of a title is active at a time.';
revoke execute on function private.note_system_alert(text, text, boolean) from public;
