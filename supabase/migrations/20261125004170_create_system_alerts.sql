-- Alerts about the cloud itself, such as a job that stands still.

create function private.note_system_alert(title text, message text, is_active boolean)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  alert public.alerts;
begin
  if note_system_alert.is_active then
    alert.alert_type := 'system';
    alert.severity := 'critical';
    alert.title := note_system_alert.title;
    alert.message := note_system_alert.message;
    alert.recorded_at := now();
    alert.raised_at := now();
    alert.details := '{}';
    perform private.raise_alert(alert);
  else
    perform private.clear_alert(active.id, now())
    from public.alerts as active
    where active.alert_type = 'system' and active.title = left(note_system_alert.title, 500) and active.is_active;
  end if;
end
$$;
comment on function private.note_system_alert(text, text, boolean) is
  'Raises or clears an alert that is about no device; one of a title is active at a time. Told to the rules of no tenant.';
revoke execute on function private.note_system_alert(text, text, boolean) from public;
