-- How a command moves, whoever moves it: forward only, and every step is written down, noted and told.

create function private.may_become(before public.command_status, after public.command_status)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select case before
    when 'pending' then after in ('sent', 'expired', 'cancelled')
    -- A quick one is over before its beginning was told. Taking it back is not in here: the hub may be at it.
    when 'sent' then after in ('executing', 'executed', 'failed', 'timeout', 'expired')
    when 'executing' then after in ('executed', 'failed', 'timeout')
    else false
  end;
$$;
comment on function private.may_become(public.command_status, public.command_status) is
  'The life cycle of a command: which status may follow which.';

create function private.prepare_command()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  select device.tenant_id into strict new.tenant_id from public.devices as device where device.id = new.device_id;
  select kind.is_dangerous, kind.time_limit_s into strict new.is_dangerous, new.time_limit_s
  from public.command_types as kind where kind.command_type = new.command_type;
  new.status := 'pending';
  new.is_approved := case when not new.is_dangerous then true end;
  return new;
end
$$;
comment on function private.prepare_command() is
  'Takes from device and type what an order does not decide itself: above all whether it has to be approved.';

create function private.guard_command()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  moving constant text[] := array['status', 'is_approved', 'sent_at', 'executing_at', 'finished_at', 'resend_of'];
begin
  if to_jsonb(new) - moving <> to_jsonb(old) - moving then
    raise exception 'what was ordered with command % cannot change', old.id
      using errcode = 'check_violation', hint = 'Cancel it and make another.';
  end if;
  if new.is_approved is distinct from old.is_approved and not exists (
    select from public.command_approvals as approval
    where approval.command_id = new.id and approval.is_approved = new.is_approved
  ) then
    raise exception 'command % needs the decision of a second person', old.id
      using errcode = 'check_violation', hint = 'An admin decides with approve_command.';
  end if;
  if new.status <> old.status then
    if not private.may_become(old.status, new.status) then
      raise exception 'command % is %, it cannot become %', old.id, old.status, new.status
        using errcode = 'check_violation', hint = 'A command only moves forward, and ends once.';
    end if;
    new.sent_at := case when new.status = 'sent' then now() else old.sent_at end;
    new.executing_at := case when new.status = 'executing' then now() else old.executing_at end;
    new.finished_at := case when new.status not in ('pending', 'sent', 'executing') then now() end;
  end if;
  return new;
end
$$;
comment on function private.guard_command() is
  'Lets only the status of a command move, and only forward; the times of its steps are those of the database.';

create function private.follow_command()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  is_new constant boolean := tg_op = 'INSERT';
  -- On insert there is no old row, and every one of these is null.
  is_step constant boolean := new.status is distinct from old.status;
  is_released constant boolean := new.is_approved and new.status = 'pending' and old.is_approved is not true;
begin
  if is_step then
    insert into public.device_command_history (command_id, device_id, status_before, status, actor_type, actor_id)
    select new.id, new.device_id, old.status, new.status, actor.actor_type, actor.actor_id
    from private.my_actor() as actor;
    perform private.note_audit(
      case when is_new then 'create' else 'update' end,
      'device_commands',
      new.id::text,
      jsonb_build_object('device_id', new.device_id, 'command_type', new.command_type, 'status', new.status)
        || case
          when is_new then jsonb_strip_nulls(jsonb_build_object('resend_of', new.resend_of))
            || jsonb_build_object('args', new.args, 'expires_at', new.expires_at)
          else jsonb_build_object('status_before', old.status)
        end,
      new.tenant_id
    );
  end if;
  if is_released then
    perform private.broadcast(
      'hub:' || coalesce(device.hub_id, device.id), 'command',
      jsonb_build_object('command_id', new.id, 'device_id', new.device_id)
    )
    from public.devices as device where device.id = new.device_id;
  end if;
  if is_step or is_released then
    perform private.broadcast(
      'tenant:' || new.tenant_id, 'command',
      jsonb_build_object(
        'command_id', new.id, 'device_id', new.device_id, 'command_type', new.command_type,
        'status', new.status, 'is_approved', new.is_approved
      )
    );
  end if;
  return null;
end
$$;
comment on function private.follow_command() is
  'Writes each step into the history and the audit log, wakes the hub for what it may fetch, and tells the tenant.';

revoke execute on function
  private.may_become(public.command_status, public.command_status), private.prepare_command(),
  private.guard_command(), private.follow_command()
  from public;

create trigger prepare_command before insert on public.device_commands
for each row execute function private.prepare_command();
create trigger guard_command before update on public.device_commands
for each row execute function private.guard_command();
create trigger follow_command after insert or update on public.device_commands
for each row execute function private.follow_command();
