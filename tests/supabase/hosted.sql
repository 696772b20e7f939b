-- What a hosted Supabase has before the first migration and a bare Postgres has not, as far as our migrations meet it:
-- an administrator who is no superuser, the login of the REST server, and the open default privileges of projects
-- from before 2026.
do $$
begin
  if not exists (select from pg_roles where rolname = 'hosted_admin') then
    create role hosted_admin login createrole createdb bypassrls;
    create role authenticator login noinherit;
    grant anon, authenticated, service_role to hosted_admin, authenticator with admin option;
    -- In a project of its own it would have made this role, and so might pass it on.
    grant device to hosted_admin with admin option;
  end if;
end
$$;
alter schema public owner to hosted_admin;
grant create on database migrated to hosted_admin;
alter default privileges for role hosted_admin in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role hosted_admin in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role hosted_admin in schema public
  grant all on functions to anon, authenticated, service_role;

-- Auth's table of users, as far as profiles follow it.
create schema auth authorization hosted_admin;
create table auth.users (
  id uuid primary key,
  email text unique,
  raw_user_meta_data jsonb,
  created_at timestamptz not null default now()
);
alter table auth.users owner to hosted_admin;
