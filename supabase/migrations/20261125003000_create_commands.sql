-- Orders from people to devices. What kinds there are, and how much each of them may do, is data.

create table public.command_types (
  command_type text primary key check (command_type ~ '^[a-z][a-z0-9_]{0,62}$'),
  description text not null check (char_length(description) between 1 and 500),
  -- Whoever may only read gives no orders.
  least_role public.user_role not null check (least_role >= 'operator'),
  is_dangerous boolean not null,
  -- Beyond a month nobody remembers what was ordered.
  time_to_live_s integer not null check (time_to_live_s between 10 and 2592000),
  time_limit_s integer not null check (time_limit_s between 1 and 86400),
  arguments jsonb not null default '{}' check (jsonb_typeof(arguments) = 'object')
);
comment on table public.command_types is 'What can be ordered of a device, by whom, and for how long it holds.';
comment on column public.command_types.is_dangerous is
  'It can lose data, take a site away or move machinery by raw address: a second person, an admin, has to agree.';
comment on column public.command_types.least_role is 'Who may order it, and order it again.';
comment on column public.command_types.time_to_live_s is 'When it expires unless the order says otherwise.';
comment on column public.command_types.time_limit_s is 'How long it may take once the device has begun.';
comment on column public.command_types.arguments is
  'By name: type (integer, number, boolean, text, object), is_required, min, max, pattern, choices.';

insert into public.command_types
  (command_type, least_role, is_dangerous, time_to_live_s, time_limit_s, description, arguments)
values
  ('identify', 'operator', false, 300, 60, 'Makes itself seen or heard.',
    '{"duration_s": {"type": "integer", "min": 1, "max": 600}}'),
  ('sample_now', 'operator', false, 300, 60, 'Measures at once, beside its schedule.', '{}'),
  ('sync_now', 'operator', false, 3600, 300, 'Sends what waits, without waiting for its turn.', '{}'),
  ('set_interval', 'operator', false, 86400, 60, 'Measures this often from now on.',
    '{"interval_s": {"type": "integer", "is_required": true, "min": 1, "max": 86400}}'),
  -- A named output is one that the configuration of the site lets people switch; a raw register is not.
  ('set_output', 'operator', false, 300, 60, 'Switches a named output: a valve, a pump, a lamp.',
    '{"output": {"type": "text", "is_required": true, "pattern": "^[a-z][a-z0-9_]{0,62}$"},
      "value": {"type": "boolean", "is_required": true},
      "duration_s": {"type": "integer", "min": 1, "max": 86400}}'),
  ('write_register', 'operator', true, 3600, 60, 'Writes a Modbus holding register and reads it back.',
    '{"address": {"type": "integer", "is_required": true, "min": 0, "max": 65535},
      "value": {"type": "number", "is_required": true, "min": -1e38, "max": 1e38},
      "value_type": {"type": "text", "choices": ["u16", "i16", "u32", "i32", "u64", "i64", "float32", "float64"]}}'),
  ('write_coil', 'operator', true, 3600, 60, 'Writes a Modbus coil and reads it back.',
    '{"address": {"type": "integer", "is_required": true, "min": 0, "max": 65535},
      "value": {"type": "boolean", "is_required": true}}'),
  ('reboot', 'operator', true, 3600, 300, 'Starts the device anew.', '{}'),
  ('clear_queue', 'operator', true, 3600, 300, 'Throws away what waits to be sent.', '{}'),
  ('calibrate', 'admin', false, 86400, 300, 'Takes what it measures now for the reference.',
    '{"metric": {"type": "text", "is_required": true, "pattern": "^[a-z][a-z0-9_]{0,62}$"},
      "reference": {"type": "number", "is_required": true, "min": -1e9, "max": 1e9}}'),
  ('update_config', 'admin', false, 86400, 60, 'Takes over settings, if they are valid together.',
    '{"settings": {"type": "object", "is_required": true}}'),
  ('update_firmware', 'admin', true, 604800, 1800, 'Installs a release and keeps it if data flows.',
    '{"version": {"type": "text", "is_required": true, "pattern": "^[0-9A-Za-z][0-9A-Za-z.+_-]{0,49}$"}}');

alter table public.command_types enable row level security;
revoke all on public.command_types from service_role;
grant select on public.command_types to authenticated, service_role;
grant update (least_role, is_dangerous, time_to_live_s, time_limit_s) on public.command_types to authenticated;
create policy "People read what can be ordered" on public.command_types for select to authenticated
using ((select private.my_role()) is not null);
create policy "Superadmins decide what is dangerous" on public.command_types for update to authenticated
using ((select private.my_role()) = 'superadmin')
with check ((select private.my_role()) = 'superadmin');
select private.audit_table('command_types');

create type public.command_status as enum (
  'pending', 'sent', 'executing', 'executed', 'failed', 'timeout', 'expired', 'cancelled'
);
comment on type public.command_status is
  'pending: waits, for approval or for its hub; sent: the hub has it; executing: it has begun; executed, failed, timeout: how it ended; expired: too late to begin; cancelled: taken back, or approval refused.';

create table public.device_commands (
  id bigint generated always as identity primary key,
  device_id integer not null references public.devices (id) on delete cascade,
  -- No reference: a tenant may go when its devices have gone to another.
  tenant_id integer not null,
  command_type text not null references public.command_types (command_type),
  args jsonb not null default '{}' check (jsonb_typeof(args) = 'object' and private.is_within(args, 16384)),
  status public.command_status not null default 'pending',
  is_dangerous boolean not null,
  is_approved boolean,
  time_limit_s integer not null check (time_limit_s > 0),
  created_by uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  sent_at timestamptz,
  executing_at timestamptz,
  finished_at timestamptz,
  idempotency_key text check (char_length(idempotency_key) between 1 and 200),
  resend_of bigint references public.device_commands (id) on delete set null,
  -- What an approval refers to, so that it can be held against who ordered.
  unique (id, device_id, created_by),
  constraint device_commands_order_made_once unique (created_by, idempotency_key),
  constraint device_commands_not_expired_from_the_start check (expires_at > created_at),
  constraint device_commands_only_the_harmless_unasked check (is_dangerous or is_approved is true),
  constraint device_commands_approved_before_sent
    check (is_approved is true or status in ('pending', 'expired', 'cancelled')),
  constraint device_commands_finished_at_the_end
    check ((finished_at is null) = (status in ('pending', 'sent', 'executing')))
);
comment on table public.device_commands is
  'Orders and what became of them. Written through functions only; a device may move the status of its own forward.';
comment on column public.device_commands.tenant_id is
  'Whose the device was when it was ordered. If it goes to another tenant, the order is not carried out.';
comment on column public.device_commands.is_dangerous is 'As its type was when it was ordered.';
comment on column public.device_commands.is_approved is 'None while it waits for a second person. A device sees it once it is true.';
comment on column public.device_commands.time_limit_s is 'How long it may take from executing_at.';
comment on column public.device_commands.expires_at is 'It does not begin after that.';
comment on column public.device_commands.idempotency_key is
  'Chosen by whoever orders: the same order with the same key is made once, however often it is asked for.';
comment on column public.device_commands.resend_of is 'The order that this one repeats.';

create index device_commands_device_id_idx on public.device_commands (device_id, created_at desc);
create index device_commands_command_type_idx on public.device_commands (command_type);
create index device_commands_resend_of_idx on public.device_commands (resend_of);
-- The few that are under way, for hubs that ask and for the job that ends what takes too long.
create index device_commands_open_idx on public.device_commands (device_id, id)
where status in ('pending', 'sent', 'executing');

create table public.device_command_history (
  id bigint generated always as identity primary key,
  command_id bigint not null references public.device_commands (id) on delete cascade,
  device_id integer not null,
  occurred_at timestamptz not null default now(),
  status_before public.command_status,
  status public.command_status not null,
  is_late boolean not null default false,
  actor_type text not null check (actor_type in ('person', 'device', 'service')),
  actor_id text check (char_length(actor_id) <= 200),
  result jsonb check (private.is_within(result, 16384)),
  -- The functions cut to this; a device that prints without end does not fill the disk.
  stdout text check (char_length(stdout) <= 16384),
  stderr text check (char_length(stderr) <= 16384),
  exit_code integer,
  duration_ms bigint check (duration_ms >= 0),
  -- A status is reached once, because it only moves forward.
  constraint device_command_history_each_status_once unique (command_id, status, is_late)
);
comment on table public.device_command_history is 'Every step of every order, with what the device said about it.';
comment on column public.device_command_history.device_id is 'The device of the order.';
comment on column public.device_command_history.status_before is 'None when it was ordered.';
comment on column public.device_command_history.is_late is
  'The device said so after the order had ended, which therefore kept its status.';
comment on column public.device_command_history.stdout is 'The end of it, as long as it is kept.';
create index device_command_history_device_id_idx on public.device_command_history (device_id, occurred_at desc);

create table public.command_approvals (
  command_id bigint primary key,
  device_id integer not null,
  created_by uuid not null,
  decided_by uuid not null,
  is_approved boolean not null,
  reason text check (char_length(reason) between 1 and 500),
  decided_at timestamptz not null default now(),
  constraint command_approvals_by_another check (decided_by <> created_by),
  constraint command_approvals_of_a_command foreign key (command_id, device_id, created_by)
    references public.device_commands (id, device_id, created_by) on delete cascade
);
create index command_approvals_command_id_idx on public.command_approvals (command_id, device_id, created_by);
comment on table public.command_approvals is 'What a second person decided about a dangerous order: one decision for each.';
comment on column public.command_approvals.created_by is 'Who ordered it, and so does not decide.';

select private.open_to_people(name)
from unnest(array['device_commands', 'device_command_history', 'command_approvals']) as name;
revoke all on public.device_commands, public.device_command_history, public.command_approvals from service_role;
grant select on public.device_commands, public.device_command_history, public.command_approvals to service_role;

-- A device moves forward what it has been sent, and sees nothing that waits for a second person. How the status may
-- move holds for everybody and stands with the trigger.
grant select, update (status) on public.device_commands to device;
create policy "Devices read what they are to do" on public.device_commands for select to device
using (device_id = any (array(select private.my_device_ids())) and is_approved);
create policy "Devices say how far they are" on public.device_commands for update to device
using (device_id = any (array(select private.my_device_ids())) and status in ('sent', 'executing'))
with check (
  device_id = any (array(select private.my_device_ids()))
  and status in ('executing', 'executed', 'failed', 'timeout', 'expired')
);
