-- Who may give which role to whom.

create function public.assign_role(email text, role public.user_role, tenant_id integer)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  person public.profiles;
  is_above_all boolean := private.is_trusted() or private.my_role() = 'superadmin';
begin
  select * into person from public.profiles
  where lower(profiles.email) = lower(assign_role.email)
  -- Auth keeps addresses unique; of two that slipped in, the first is meant.
  order by created_at limit 1 for update;

  if not is_above_all and not coalesce(
    assign_role.role <= 'admin'
    and assign_role.tenant_id in (select private.tenant_ids_for('admin')),
    false
  ) then
    raise exception 'you may not give this role there'
      using errcode = 'insufficient_privilege', hint = 'Admins give roles up to admin within their tenant.';
  end if;
  -- Whoever belongs to strangers is not ours to take, and is not told apart from nobody.
  if person.id is null or not (
    is_above_all or (
      person.role <> 'superadmin'
      and (person.tenant_id is null or person.tenant_id in (select private.tenant_ids_for('admin')))
    )
  ) then
    raise exception 'nobody with the address "%" has signed up', email
      using errcode = 'invalid_parameter_value', hint = 'Let them sign up first. Members of other tenants stay theirs.';
  end if;
  if person.id = private.my_user_id() then
    raise exception 'nobody changes their own role'
      using errcode = 'insufficient_privilege', hint = 'Ask another admin.';
  end if;

  update public.profiles set
    role = assign_role.role,
    tenant_id = case when assign_role.role <> 'superadmin' then assign_role.tenant_id end,
    is_active = true
  where profiles.id = person.id;
  perform private.note_audit(
    'update', 'profiles', person.id::text,
    jsonb_build_object(
      'role', assign_role.role, 'tenant_id', assign_role.tenant_id,
      'role_before', person.role, 'tenant_id_before', person.tenant_id
    )
  );
  return person.id;
end
$$;
comment on function public.assign_role(text, public.user_role, integer) is
  'Makes somebody who has signed up a member of a tenant with a role. Admins within their tenant, superadmins anywhere.';

create function public.dismiss_person(email text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  person_id uuid;
begin
  update public.profiles set is_active = false
  where lower(profiles.email) = lower(dismiss_person.email)
    and profiles.id is distinct from private.my_user_id()
    and (
      private.is_trusted() or private.my_role() = 'superadmin'
      or (profiles.role <> 'superadmin' and profiles.tenant_id in (select private.tenant_ids_for('admin')))
    )
  returning profiles.id into person_id;
  if person_id is null then
    raise exception 'there is nobody with the address "%" whom you may dismiss', email
      using errcode = 'insufficient_privilege', hint = 'Admins dismiss members of their tenant, but not themselves.';
  end if;
  perform private.note_audit('update', 'profiles', person_id::text, '{"is_active": false}');
  return person_id;
end
$$;
comment on function public.dismiss_person(text) is
  'Takes every right from a person at once, whatever token they hold. assign_role gives rights again.';

revoke execute on function
  public.assign_role(text, public.user_role, integer), public.dismiss_person(text)
  from public, anon, authenticated;
grant execute on function
  public.assign_role(text, public.user_role, integer), public.dismiss_person(text)
  to authenticated, service_role;
