-- Tables whose every change is noted in the audit log, with the columns that changed.

create function private.differences(of_row jsonb, from_row jsonb, hidden_columns text[])
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select coalesce(
    jsonb_object_agg(
      field.key,
      case
        when field.key = any (hidden_columns) or field.key ~ '(secret|token|password|hash)' then '"(not shown)"'
        else field.value
      end
    ),
    '{}'
  )
  from jsonb_each(of_row) as field
  where coalesce(from_row -> field.key, 'null') <> field.value;
$$;
comment on function private.differences(jsonb, jsonb, text[]) is
  'What a row has otherwise than another. That a secret changed is told; the secret is not.';

create function private.audit_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  key_column constant text := tg_argv[0];
  hidden_columns constant text[] := tg_argv[1];
  old_row constant jsonb := coalesce(to_jsonb(old), '{}');
  new_row constant jsonb := coalesce(to_jsonb(new), '{}');
  present constant jsonb := coalesce(to_jsonb(new), to_jsonb(old));
  before constant jsonb := private.differences(old_row, new_row, hidden_columns);
  after constant jsonb := private.differences(new_row, old_row, hidden_columns);
  tenant_id integer := (present ->> 'tenant_id')::integer;
begin
  if before = '{}' and after = '{}' then
    return null;
  end if;
  -- A device's first row makes it active; nobody decided that.
  if tg_table_name = 'devices' and before = '{"status": "approved"}' and after = '{"status": "active"}'
    and (select actor.actor_type from private.my_actor() as actor) <> 'person'
  then
    return null;
  end if;
  if tg_table_name = 'tenants' then
    -- Of a tenant that is gone, those above it are left to read what became of it.
    tenant_id := case when tg_op = 'DELETE' then old.parent_id else new.id end;
  elsif tenant_id is null then
    tenant_id := coalesce(
      (select device.tenant_id from public.devices as device where device.id = (present ->> 'device_id')::integer),
      -- What is silenced may be a rule for all devices.
      (select rule.tenant_id from public.alert_rules as rule where rule.id = (present ->> 'rule_id')::integer)
    );
  end if;
  perform private.note_audit(
    case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    tg_table_name,
    present ->> key_column,
    jsonb_build_object('before', before, 'after', after),
    tenant_id
  );
  return null;
end
$$;
comment on function private.audit_change() is
  'Notes a changed row. Arguments: the column that identifies it, the columns whose values are not shown.';

create function private.audit_table(table_name text, hidden_columns text[] default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
  key_column text;
begin
  select attribute.attname into strict key_column
  from pg_catalog.pg_index as index
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
  where index.indisprimary and index.indrelid = format('public.%I', table_name)::regclass;
  execute format(
    'create trigger audit_change after insert or update or delete on public.%I
     for each row execute function private.audit_change(%L, %L)',
    table_name, key_column, hidden_columns
  );
end
$$;
comment on function private.audit_table(text, text[]) is
  'Has every change of a table noted in the audit log. For what people set up, not for what devices send.';

revoke execute on function
  private.differences(jsonb, jsonb, text[]), private.audit_change(), private.audit_table(text, text[])
  from public;

-- Not profiles: assign_role and dismiss_person note what they do, and a display name is nobody's business.
select private.audit_table(name)
from unnest(array[
  'tenants', 'sites', 'devices', 'device_tank_settings', 'device_flow_settings', 'device_deep_settings',
  'device_footfall_settings', 'device_calibrations', 'device_tags'
]) as name;
