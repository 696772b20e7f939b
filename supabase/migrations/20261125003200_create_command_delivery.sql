-- What hubs do with commands, and what becomes of those that no hub ends.

create function public.claim_commands(batch_size integer default 20)
returns setof public.device_commands
language sql
security definer
set search_path = ''
as $$
  with due as (
    select waiting.id
    from public.device_commands as waiting
    -- The order of a tenant that has given the device away since is not carried out.
    join public.devices as device on device.id = waiting.device_id and device.tenant_id = waiting.tenant_id
    where waiting.status = 'pending' and waiting.is_approved and waiting.expires_at > now()
      and waiting.device_id = any (array(select private.my_device_ids()))
      -- Nor is that of somebody who has been dismissed.
      and exists (
        select from public.profiles as person where person.id = waiting.created_by and person.is_active
      )
    order by waiting.id
    limit least(greatest(batch_size, 1), 200)
    for update of waiting skip locked
  ), claimed as (
    update public.device_commands as command set status = 'sent'
    from due where command.id = due.id
    returning command.*
  )
  select * from claimed order by claimed.id;
$$;
comment on function public.claim_commands(integer) is
  'Hands a hub the commands for itself and those behind it, oldest first, each to one caller once. If the answer is lost, they stand in device_commands as sent.';

create function private.has_device_ended(command_id bigint)
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select from public.device_command_history as step
    where step.command_id = has_device_ended.command_id and step.actor_type = 'device'
      and step.status in ('executed', 'failed', 'timeout', 'expired')
  );
$$;
comment on function private.has_device_ended(bigint) is
  'Whether the device itself has said how a command ended. What the clock of the cloud decided is a guess beside it.';

create function public.report_command(
  command_id bigint, status public.command_status, result jsonb default null, stdout text default null,
  stderr text default null, exit_code integer default null, duration_ms bigint default null
)
returns public.command_status
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  command public.device_commands;
  is_said boolean;
begin
  select * into command from public.device_commands
  where device_commands.id = report_command.command_id and device_commands.sent_at is not null
    and device_commands.device_id = any (array(select private.my_device_ids()))
  for update;
  if not found then
    raise exception 'there is no command % that this device has been sent', command_id
      using errcode = 'insufficient_privilege', hint = 'claim_commands comes first.';
  end if;
  if status in ('pending', 'sent', 'cancelled') then
    raise exception 'a device does not say that a command is %', status using errcode = 'check_violation';
  end if;

  is_said := exists (
    select from public.device_command_history as step
    where step.command_id = command.id and step.status = report_command.status and step.actor_type = 'device'
  );
  if not is_said and command.finished_at is not null and not private.has_device_ended(command.id) then
    insert into public.device_command_history (
      command_id, device_id, status_before, status, is_late, actor_type, actor_id
    )
    select command.id, command.device_id, command.status, report_command.status, true, actor.actor_type, actor.actor_id
    from private.my_actor() as actor;
    perform private.note_audit(
      'update', 'device_commands', command.id::text,
      jsonb_build_object(
        'device_id', command.device_id, 'command_type', command.command_type, 'status', command.status,
        'late_report', report_command.status
      ),
      command.tenant_id
    );
  elsif not is_said then
    update public.device_commands set status = report_command.status where device_commands.id = command.id
    returning * into command;
  end if;

  -- The first words hold: what comes again is what was lost on the way back.
  update public.device_command_history as step set
    result = private.bounded(report_command.result, 16384),
    stdout = right(report_command.stdout, 16384),
    stderr = right(report_command.stderr, 16384),
    exit_code = report_command.exit_code,
    duration_ms = report_command.duration_ms
  where step.command_id = command.id and step.status = report_command.status and step.actor_type = 'device'
    and num_nonnulls(step.result, step.stdout, step.stderr, step.exit_code, step.duration_ms) = 0;
  return command.status;
end
$$;
comment on function public.report_command(bigint, public.command_status, jsonb, text, text, integer, bigint) is
  'A device says how far a command is and what came of it; said again, nothing changes. Returns the status that holds: what comes after the cloud gave up is kept in the history.';

create function private.expire_commands()
returns integer
language sql
set search_path = ''
as $$
  with due as (
    select command.id
    from public.device_commands as command
    where case command.status
      when 'pending' then command.expires_at <= now()
      -- What the hub says at the last moment takes a while to arrive.
      when 'sent' then command.expires_at <= now() - interval '1 minute'
      when 'executing' then
        command.executing_at + make_interval(secs => command.time_limit_s) <= now() - interval '1 minute'
    end
    and command.status in ('pending', 'sent', 'executing')
    order by command.device_id, command.id
    for update skip locked
  ), ended as (
    update public.device_commands as command
    set status = case when command.status = 'executing' then 'timeout' else 'expired' end::public.command_status
    from due where command.id = due.id
    returning command.id
  )
  select count(*)::integer from ended;
$$;
comment on function private.expire_commands() is
  'Ends commands that were not begun in time (expired) or of which no end was heard (timeout). Returns how many.';

revoke execute on function private.has_device_ended(bigint), private.expire_commands() from public;
revoke execute on function
  public.claim_commands(integer),
  public.report_command(bigint, public.command_status, jsonb, text, text, integer, bigint)
  from public, anon, authenticated, service_role;
grant execute on function
  public.claim_commands(integer),
  public.report_command(bigint, public.command_status, jsonb, text, text, integer, bigint)
  to device;
