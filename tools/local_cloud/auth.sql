-- What hosted Supabase has around its schema auth before the first migration. The tables are made by @supabase/lite.

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
end
$$;

-- The functions below are for policies; on the tables nothing is granted.
grant usage on schema auth to anon, authenticated, service_role;

-- Lite's own read only the settings that lite makes for its own requests. Hosted ones read the claims, which bulk
-- inserts and channels carry too.
create or replace function auth.uid()
returns uuid
language sql
stable
set search_path = ''
as $$
  select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid;
$$;
comment on function auth.uid() is 'The person of the token; null for a key alone.';

create or replace function auth.role()
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role', current_user::text);
$$;
comment on function auth.role() is 'The role of the token; that of the key where there is none.';

create or replace function auth.email()
returns text
language sql
stable
set search_path = ''
as $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email';
$$;
comment on function auth.email() is 'The address in the token.';
