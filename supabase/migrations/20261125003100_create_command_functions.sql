-- What people do with commands. Each function asks the database, not the token, whether this person may.

create function private.place_command(
  device_id integer, command_type text, args jsonb, expires_in_s integer, idempotency_key text, resend_of bigint
)
returns public.device_commands
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  kind public.command_types;
  placed public.device_commands;
  me constant uuid := private.my_user_id();
  life_s integer;
begin
  select * into kind from public.command_types where command_types.command_type = place_command.command_type;
  if kind.command_type is null then
    raise exception 'there is no command type "%"', left(command_type, 63)
      using errcode = 'check_violation', hint = 'command_types names them.';
  end if;
  if me is null or not exists (
    select from private.device_ids_for(kind.least_role) as mine (id) where mine.id = place_command.device_id
  ) then
    raise exception 'you may not order % of device %', kind.command_type, device_id
      using errcode = 'insufficient_privilege', hint = format('It takes the role %s in its tenant.', kind.least_role);
  end if;
  perform private.check_arguments(kind.arguments, args);
  life_s := coalesce(expires_in_s, kind.time_to_live_s);
  if life_s not between 10 and 2592000 then
    raise exception 'a command expires after 10 to 2592000 seconds, not %', life_s using errcode = 'check_violation';
  end if;

  insert into public.device_commands (
    device_id, command_type, args, created_by, expires_at, idempotency_key, resend_of
  )
  select
    device.id, kind.command_type, place_command.args, me, now() + make_interval(secs => life_s),
    place_command.idempotency_key, place_command.resend_of
  from public.devices as device
  where device.id = place_command.device_id
    and device.revoked_at is null and device.status in ('approved', 'active')
    -- More than that is a loop in somebody's script.
    and (
      select count(*) from public.device_commands as open
      where open.device_id = device.id and open.status in ('pending', 'sent', 'executing')
    ) < 100
  on conflict on constraint device_commands_order_made_once do nothing
  returning * into placed;

  if placed.id is null then
    select * into placed from public.device_commands as earlier
    where earlier.created_by = me and earlier.idempotency_key = place_command.idempotency_key;
    if placed.id is null then
      raise exception 'device % takes no commands now', device_id
        using errcode = 'check_violation', hint = 'It is not in service, or 100 commands for it are under way.';
    end if;
    if (placed.device_id, placed.command_type, placed.args, placed.resend_of)
      is distinct from (place_command.device_id, kind.command_type, place_command.args, place_command.resend_of)
    then
      raise exception 'the idempotency key was used for command %, which is another', placed.id
        using errcode = 'unique_violation', hint = 'A new order takes a new key.';
    end if;
  end if;
  return placed;
end
$$;
comment on function private.place_command(integer, text, jsonb, integer, text, bigint) is
  'Makes a command for whoever acts in this request, or returns the one that they made with this key before.';

create function private.lock_command(command_id bigint, least_role public.user_role)
returns public.device_commands
language plpgsql
security definer
set search_path = ''
as $$
declare
  command public.device_commands;
begin
  select * into command from public.device_commands
  where device_commands.id = command_id
    and device_commands.device_id = any (array(select private.device_ids_for(least_role)))
  for update;
  if not found then
    raise exception 'there is no command % about which you may decide', command_id
      using errcode = 'insufficient_privilege', hint = format('It takes the role %s in its tenant.', least_role);
  end if;
  return command;
end
$$;
comment on function private.lock_command(bigint, public.user_role) is
  'The command, which nobody else can change until this request is over. Whoever lacks the role is refused.';

create function public.create_command(
  device_id integer, command_type text, args jsonb default '{}', expires_in_s integer default null,
  idempotency_key text default null
)
returns public.device_commands
language sql
security definer
set search_path = ''
as $$
  select private.place_command(device_id, command_type, args, expires_in_s, idempotency_key, null);
$$;
comment on function public.create_command(integer, text, jsonb, integer, text) is
  'Orders something of a device. A dangerous command waits until approve_command. With a key it is made once, however often it is asked for.';

create function public.approve_command(command_id bigint, is_approved boolean, reason text default null)
returns public.device_commands
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  command public.device_commands := private.lock_command(command_id, 'admin');
begin
  if command.is_approved is not null then
    raise exception 'command % has been decided about', command.id
      using errcode = 'unique_violation', hint = 'Nothing was changed by this. command_approvals says who decided.';
  end if;
  if command.status <> 'pending' or command.expires_at <= now() then
    raise exception 'command % is over: %', command.id,
      case when command.status = 'pending' then 'expired' else command.status::text end
      using errcode = 'check_violation', hint = 'Order it again.';
  end if;
  if command.created_by = private.my_user_id() then
    raise exception 'command % needs the decision of a second person', command.id
      using errcode = 'insufficient_privilege', hint = 'Whoever ordered it does not approve it. Ask another admin.';
  end if;
  if is_approved is null then
    raise exception 'command % is approved or it is not', command.id using errcode = 'check_violation';
  end if;

  insert into public.command_approvals (command_id, device_id, created_by, decided_by, is_approved, reason)
  values (
    command.id, command.device_id, command.created_by, private.my_user_id(),
    approve_command.is_approved, approve_command.reason
  );
  perform private.note_audit(
    'create', 'command_approvals', command.id::text,
    jsonb_build_object(
      'device_id', command.device_id, 'command_type', command.command_type,
      'is_approved', approve_command.is_approved, 'reason', approve_command.reason
    ),
    command.tenant_id
  );
  update public.device_commands set
    is_approved = approve_command.is_approved,
    status = case when approve_command.is_approved then status else 'cancelled' end
  where device_commands.id = command.id
  returning * into command;
  return command;
end
$$;
comment on function public.approve_command(bigint, boolean, text) is
  'Decides, as an admin who did not order it, whether a dangerous command is carried out. The first decision holds; refused, it is cancelled.';

create function public.cancel_command(command_id bigint)
returns public.device_commands
language plpgsql
security definer
set search_path = ''
as $$
declare
  command public.device_commands := private.lock_command(command_id, 'operator');
begin
  if command.status = 'cancelled' then
    return command;
  end if;
  if command.status <> 'pending' then
    raise exception 'command % is %, it cannot be cancelled', command.id, command.status
      using errcode = 'check_violation', hint = 'Once its hub has it, only the hub knows whether it has begun.';
  end if;
  update public.device_commands set status = 'cancelled' where device_commands.id = command.id
  returning * into command;
  return command;
end
$$;
comment on function public.cancel_command(bigint) is
  'Takes back a command that no hub has fetched yet. Any operator of the tenant may: not to act is the safe side.';

create function public.resend_command(command_id bigint, idempotency_key text default null)
returns public.device_commands
language plpgsql
security definer
set search_path = ''
as $$
declare
  command public.device_commands := private.lock_command(command_id, 'operator');
begin
  if command.finished_at is null then
    raise exception 'command % is still under way: %', command.id, command.status
      using errcode = 'check_violation', hint = 'Sent again now it might be carried out twice. Wait, or cancel it.';
  end if;
  return private.place_command(
    command.device_id, command.command_type, command.args, null, idempotency_key, command.id
  );
end
$$;
comment on function public.resend_command(bigint, text) is
  'Orders once more what has ended, with a new life. It is a new command of whoever asks, and is approved anew.';

revoke execute on function
  private.place_command(integer, text, jsonb, integer, text, bigint),
  private.lock_command(bigint, public.user_role)
  from public;
revoke execute on function
  public.create_command(integer, text, jsonb, integer, text), public.approve_command(bigint, boolean, text),
  public.cancel_command(bigint), public.resend_command(bigint, text)
  from public, anon, service_role;
grant execute on function
  public.create_command(integer, text, jsonb, integer, text), public.approve_command(bigint, boolean, text),
  public.cancel_command(bigint), public.resend_command(bigint, text)
  to authenticated;
