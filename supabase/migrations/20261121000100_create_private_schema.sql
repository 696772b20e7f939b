-- The roles and the two schemas that everything else stands on.

-- Hosted Supabase has these roles. A bare Postgres, as in a test, does not; there they are made with the same
-- powers, so that the policies below mean the same.
do $$
begin
  if not exists (select from pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'service_role') then
    create role service_role nologin noinherit bypassrls;
  end if;
  -- What a device token names as its role. It owns nothing and inherits nothing.
  if not exists (select from pg_roles where rolname = 'device') then
    create role device nologin noinherit;
  end if;
  -- The REST server logs in as authenticator and becomes the role of the token.
  if exists (select from pg_roles where rolname = 'authenticator') then
    grant device to authenticator;
  end if;
end
$$;

-- A batch of a thousand rows takes milliseconds. What takes longer than this waits for a lock.
alter role device set statement_timeout = '15s';

-- Helpers of the policies, and what nobody may read through the API.
create schema if not exists private;
comment on schema private is 'Helpers of policies and triggers, and secrets. Not exposed through the API.';
revoke all on schema private from public;
grant usage on schema private to authenticated, device, service_role;

-- Row-level security is not inherited by partitions, so these must stay out of reach: nothing is granted here.
create schema if not exists partitions;
comment on schema partitions is 'Partitions of the tables in public. Not exposed, and granted to nobody.';
revoke all on schema partitions from public;

grant usage on schema public to anon, authenticated, service_role, device;

-- Nothing is open because it is new: every table and function is granted by name. Hosted projects of before 2026 and
-- self-hosted ones still grant everything to the first two roles.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated;
alter default privileges in schema public revoke all on sequences from anon, authenticated;
alter default privileges in schema public revoke all on functions from anon, authenticated;

-- What every request asks is in plpgsql, which keeps the plans of a session: a function in SQL is planned anew in each
-- query, which takes longer than the answer itself.

create function private.my_claims()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb;
end
$$;
comment on function private.my_claims() is 'What the token of this request claims; empty when there is none.';

create function private.my_user_id()
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return (private.my_claims() ->> 'sub')::uuid;
end
$$;
comment on function private.my_user_id() is 'The person of this request: who they are, not what they may.';

create function private.my_device_id()
returns integer
language plpgsql
stable
set search_path = ''
as $$
begin
  return (private.my_claims() ->> 'device_id')::integer;
end
$$;
comment on function private.my_device_id() is 'The device of this request, as its token names it.';

revoke execute on function private.my_claims(), private.my_user_id(), private.my_device_id() from public;
grant execute on function private.my_claims(), private.my_user_id(), private.my_device_id()
  to authenticated, device, service_role;

create function private.is_within(value jsonb, max_bytes integer)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- A number of ten bytes may take a hundred thousand digits to write, so nothing is written before it is known that
  -- there is none. What is stored takes at most four times as much as what is written.
  if pg_column_size(value) > 5 * max_bytes or value @? '$.** ? (@.type() == "number" && @.abs() > 1e300)' then
    return false;
  end if;
  -- Of those with many places behind the point one after the other.
  if (
    select sum(octet_length(number::text))
    from jsonb_path_query(value, '$.** ? (@.type() == "number")') as number
  ) > max_bytes then
    return false;
  end if;
  return octet_length(value::text) <= max_bytes;
end
$$;
comment on function private.is_within(jsonb, integer) is
  'Is the value, written as text, at most so long? Told without writing what would fill the memory; a number beyond 1e300 is too long.';
revoke execute on function private.is_within(jsonb, integer) from public;
grant execute on function private.is_within(jsonb, integer) to authenticated, device, service_role;
