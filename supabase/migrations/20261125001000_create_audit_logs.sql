-- Who did what, when and from where. Entries are only ever added: no role of the API can write, change or delete one.

create table public.audit_logs (
  id bigint generated always as identity primary key,
  occurred_at timestamptz not null default now(),
  actor_type text not null check (actor_type in ('person', 'device', 'service')),
  actor_id text check (char_length(actor_id) <= 200),
  -- No references from here: an entry outlives what it is about.
  tenant_id integer,
  action_type text not null check (action_type in ('create', 'update', 'delete', 'access', 'authenticate')),
  resource_type text not null check (char_length(resource_type) between 1 and 100),
  resource_id text check (char_length(resource_id) <= 200),
  ip_address inet,
  -- Both come from whoever asks; the bounds keep them from filling the disk.
  user_agent text check (char_length(user_agent) <= 500),
  request_id text check (char_length(request_id) <= 200),
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object' and octet_length(details::text) <= 65536)
);
comment on table public.audit_logs is 'What people, devices and services did. Only added to; read by admins.';
comment on column public.audit_logs.actor_type is
  'person: signed in; device: by its token; service: with the secret key, or the database itself.';
comment on column public.audit_logs.actor_id is
  'Of a person the id in profiles, of a device the one in devices, of a service the name of its role.';
comment on column public.audit_logs.tenant_id is
  'Whose it was when it happened; none where it was of no tenant. It decides who may read the entry.';
comment on column public.audit_logs.resource_type is 'Name of the table.';
comment on column public.audit_logs.resource_id is 'Key of the row.';
comment on column public.audit_logs.ip_address is
  'First hop that the proxies name. What a caller claims about itself before the first proxy is not proven.';
comment on column public.audit_logs.details is 'Of a changed row: the columns that changed, before and after. Never secrets.';

-- Entries come in the order of time, so the smallest of indexes finds a span of it.
create index audit_logs_occurred_at_idx on public.audit_logs using brin (occurred_at);
create index audit_logs_tenant_id_idx on public.audit_logs (tenant_id, occurred_at desc);
create index audit_logs_resource_id_idx on public.audit_logs (resource_type, resource_id, occurred_at desc);

create function private.keep_audit_logs()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Only the retention deletes, and it is never shorter than this.
  if tg_op = 'DELETE' and old.occurred_at < now() - interval '30 days' then
    return old;
  end if;
  raise exception 'the audit log cannot be changed'
    using errcode = 'insufficient_privilege', hint = 'Entries older than 30 days may be deleted, by the retention.';
end
$$;
comment on function private.keep_audit_logs() is
  'Holds entries as they were written, against the owner of the database and against our own functions too.';
revoke execute on function private.keep_audit_logs() from public;

create trigger keep_audit_logs before update or delete on public.audit_logs
for each row execute function private.keep_audit_logs();
create trigger keep_all_audit_logs before truncate on public.audit_logs
for each statement execute function private.keep_audit_logs();

alter table public.audit_logs enable row level security;
-- Hosted projects of before 2026 would let the secret key write.
revoke all on public.audit_logs from service_role;
grant select on public.audit_logs to authenticated, service_role;
create policy "Admins read what happened in their tenants" on public.audit_logs for select to authenticated
using (
  tenant_id = any (array(select private.tenant_ids_for('admin')))
  or (select private.my_role()) = 'superadmin'
);

create function private.my_actor(out actor_type text, out actor_id text)
language sql
stable
set search_path = ''
as $$
  select
    case claims ->> 'role' when 'authenticated' then 'person' when 'device' then 'device' else 'service' end,
    left(
      case claims ->> 'role'
        when 'authenticated' then claims ->> 'sub'
        when 'device' then claims ->> 'device_id'
        else coalesce(claims ->> 'role', session_user)
      end,
      200
    )
  from private.my_claims() as claims;
$$;
comment on function private.my_actor() is 'Who acts in this request, by its token; without one, who logged in.';

create function private.request_origin(out ip_address inet, out user_agent text, out request_id text)
language plpgsql
stable
set search_path = ''
as $$
declare
  headers jsonb;
  hop text;
begin
  -- Whatever a caller sends: what it does is done and noted, if need be without saying from where.
  begin
    headers := coalesce(nullif(current_setting('request.headers', true), ''), '{}')::jsonb;
  exception when others then
    return;
  end;
  user_agent := left(headers ->> 'user-agent', 500);
  request_id := left(headers ->> 'x-request-id', 200);
  hop := left(trim(split_part(headers ->> 'x-forwarded-for', ',', 1)), 100);
  begin
    -- Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
    ip_address := coalesce(substring(hop from '^\[([^]]+)\]'), substring(hop from '^([0-9.]+):[0-9]+$'), hop)::inet;
  exception when others then
    ip_address := null;
  end;
end
$$;
comment on function private.request_origin() is
  'Where this request comes from, by its headers: bounded, and empty where they say nothing or nonsense.';

create function private.uuid_of(value text)
returns uuid
language plpgsql
immutable
set search_path = ''
as $$
begin
  return value::uuid;
exception when invalid_text_representation then
  return null;
end
$$;
comment on function private.uuid_of(text) is 'The text as an id; null when it is none.';

create function private.tenant_of_resource(resource_type text, resource_id text, details jsonb)
returns integer
language sql
stable
set search_path = ''
as $$
  select coalesce(
    case when jsonb_typeof(details -> 'tenant_id') = 'number' then (details ->> 'tenant_id')::integer end,
    (
      select device.tenant_id from public.devices as device
      where device.id = case
        when jsonb_typeof(details -> 'device_id') = 'number' then (details ->> 'device_id')::integer
        when resource_type = 'devices' and resource_id ~ '^[0-9]{1,9}$' then resource_id::integer
      end
    ),
    (
      select profile.tenant_id from public.profiles as profile
      where resource_type = 'profiles' and profile.id = private.uuid_of(resource_id)
    ),
    (
      -- By what the token calls itself: that of a service may be no id of ours.
      select coalesce(profile.tenant_id, device.tenant_id)
      from private.my_actor() as actor
      left join public.profiles as profile
        on actor.actor_type = 'person' and profile.id = private.uuid_of(actor.actor_id)
      left join public.devices as device on actor.actor_type = 'device' and device.id = private.my_device_id()
    )
  );
$$;
comment on function private.tenant_of_resource(text, text, jsonb) is
  'Whose a resource is: as the details say (tenant_id, device_id), by the resource, or else whose the actor is.';

create function private.bounded(value jsonb, max_bytes integer)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select case
    when private.is_within(value, max_bytes) then value
    when value is not null then jsonb_build_object('is_too_long', true, 'bytes', pg_column_size(value))
  end;
$$;
comment on function private.bounded(jsonb, integer) is
  'The value, or where it is too long to keep a note that it was: what happened counts more than all of its words.';

create function private.note_audit(
  action_type text, resource_type text, resource_id text, details jsonb default '{}', tenant_id integer default null
)
returns void
language sql
set search_path = ''
as $$
  insert into public.audit_logs (
    actor_type, actor_id, tenant_id, action_type, resource_type, resource_id,
    ip_address, user_agent, request_id, details
  )
  select
    actor.actor_type,
    actor.actor_id,
    coalesce(
      note_audit.tenant_id,
      private.tenant_of_resource(note_audit.resource_type, note_audit.resource_id, note_audit.details)
    ),
    note_audit.action_type,
    note_audit.resource_type,
    left(note_audit.resource_id, 200),
    origin.ip_address,
    origin.user_agent,
    origin.request_id,
    coalesce(private.bounded(note_audit.details, 65536), '{}')
  from private.my_actor() as actor
  cross join private.request_origin() as origin;
$$;
comment on function private.note_audit(text, text, text, jsonb, integer) is
  'Adds an entry to the audit log in the name of whoever acts in this request. tenant_id: found by itself where it is not given.';

revoke execute on function
  private.my_actor(), private.request_origin(), private.uuid_of(text), private.tenant_of_resource(text, text, jsonb),
  private.bounded(jsonb, integer), private.note_audit(text, text, text, jsonb, integer)
  from public;
