-- Who people are here. Auth knows that they are who they say; what they may do is decided by these rows alone, so
-- that taking a right away bites at the next request and not when a token ends.

-- In rising order: "at least operator" is a comparison.
create type public.user_role as enum ('viewer', 'operator', 'admin', 'superadmin');
comment on type public.user_role is
  'viewer: reads; operator: also orders and handles alerts; admin: also devices, rules and people; superadmin: all tenants.';

create table public.profiles (
  id uuid primary key,
  email text check (char_length(email) between 3 and 320),
  display_name text check (char_length(display_name) between 1 and 200),
  role public.user_role not null default 'viewer',
  tenant_id integer references public.tenants (id),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  -- Somebody above all tenants is a member of none, or their rights would depend on which.
  constraint profiles_superadmin_has_no_tenant check (role <> 'superadmin' or tenant_id is null)
);
comment on table public.profiles is 'One row for each person that can sign in, kept by a trigger on the users of Auth.';
comment on column public.profiles.id is 'The same as auth.users.id.';
comment on column public.profiles.tenant_id is 'Whose member this is. None: sees nothing yet, or everything as superadmin.';
comment on column public.profiles.is_active is 'False: may do nothing, whatever the role.';

create index profiles_tenant_id_idx on public.profiles (tenant_id);
-- Newcomers are looked up by address to be given a role.
create index profiles_email_idx on public.profiles (lower(email));

alter table public.profiles enable row level security;
grant select, insert, update, delete on public.profiles to service_role;

create function private.copy_auth_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    delete from public.profiles where profiles.id = old.id::uuid;
    return old;
  end if;
  -- Never the role: what people write about themselves when they sign up is no reason to trust them.
  insert into public.profiles as profile (id, email, display_name)
  values (
    new.id::uuid, new.email,
    left(nullif(to_jsonb(new) #>> array['raw_user_meta_data', 'display_name'], ''), 200)
  )
  on conflict (id) do update set email = excluded.email;
  return new;
end
$$;
comment on function private.copy_auth_user() is 'Keeps profiles in step with the users of Auth.';

create function private.follow_auth_users()
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  -- A bare Postgres has no Auth.
  if to_regclass('auth.users') is null then
    return false;
  end if;
  create or replace trigger copy_auth_user
  after insert or update of email or delete on auth.users
  for each row execute function private.copy_auth_user();
  insert into public.profiles (id, email)
  select users.id::uuid, users.email from auth.users as users
  on conflict (id) do nothing;
  return true;
end
$$;
comment on function private.follow_auth_users() is
  'Makes profiles follow auth.users, and takes over who is there. Safe to repeat; false where there is no Auth.';

revoke execute on function private.copy_auth_user(), private.follow_auth_users() from public;
select private.follow_auth_users();
