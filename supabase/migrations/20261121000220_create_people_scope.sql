-- What a signed-in person may see and do: the tenant of the profile and everything below it, as far as the role goes.

create function private.my_role()
returns public.user_role
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return (
    select profile.role
    from public.profiles as profile
    where profile.id = private.my_user_id() and profile.is_active
      and (profile.tenant_id is not null or profile.role = 'superadmin')
  );
end
$$;
comment on function private.my_role() is 'The role of the person, from the database; none without a tenant.';

create function private.tenant_ids_for(least_role public.user_role)
returns setof integer
language plpgsql
stable
security definer
set search_path = ''
rows 10
as $$
begin
  return query
    with me as materialized (
      select profile.role, profile.tenant_id
      from public.profiles as profile
      where profile.id = private.my_user_id() and profile.is_active and profile.role >= least_role
    )
    select tenant.id from public.tenants as tenant where exists (select from me where me.role = 'superadmin')
    union all
    select me.tenant_id from me where me.tenant_id is not null
    union all
    select child.id from me join public.tenants as child on child.parent_id = me.tenant_id
    union all
    select grandchild.id
    from me
    join public.tenants as child on child.parent_id = me.tenant_id
    join public.tenants as grandchild on grandchild.parent_id = child.id;
end
$$;
comment on function private.tenant_ids_for(public.user_role) is
  'The tenants for which the person has at least this role: their own and those below it; all for a superadmin.';

create function private.is_trusted()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(nullif(current_setting('role', true), ''), 'none') not in ('anon', 'authenticated', 'device');
end
$$;
comment on function private.is_trusted() is
  'True for the secret key and for the owner of the database, who need no role; false for people and devices.';

revoke execute on function private.is_trusted() from public;
revoke execute on function private.my_role(), private.tenant_ids_for(public.user_role) from public;
grant execute on function private.my_role(), private.tenant_ids_for(public.user_role) to authenticated;

-- The parent stays as it was made: a tenant that could be moved could be moved to strangers.
grant select, delete, insert (tenant_type, name, parent_id), update (name) on public.tenants to authenticated;
-- By its parent too: whoever has just added a tenant is shown it, before the function above can know of it.
create policy "People see their tenants" on public.tenants for select to authenticated
using (
  id = any (array(select private.tenant_ids_for('viewer')))
  or parent_id = any (array(select private.tenant_ids_for('viewer')))
  or (select private.my_role()) = 'superadmin'
);
create policy "Admins add tenants below theirs" on public.tenants for insert to authenticated
with check (
  parent_id = any (array(select private.tenant_ids_for('admin')))
  or (select private.my_role()) = 'superadmin'
);
create policy "Admins rename their tenants" on public.tenants for update to authenticated
using (id = any (array(select private.tenant_ids_for('admin'))))
with check (id = any (array(select private.tenant_ids_for('admin'))));
create policy "Superadmins remove tenants" on public.tenants for delete to authenticated
using ((select private.my_role()) = 'superadmin');

-- Of the columns only the name: roles and tenants are given by assign_role, which knows who may give what.
grant select on public.profiles to authenticated;
grant update (display_name) on public.profiles to authenticated;
create policy "People see themselves, admins their people" on public.profiles for select to authenticated
using (
  id = (select private.my_user_id())
  or tenant_id = any (array(select private.tenant_ids_for('admin')))
  or (select private.my_role()) = 'superadmin'
);
create policy "People name themselves" on public.profiles for update to authenticated
using (id = (select private.my_user_id()))
with check (id = (select private.my_user_id()));
