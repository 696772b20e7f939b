-- Where each rule stands with each device, and the cheap first look at a batch.
--
-- Locks: whoever judges a device has locked its device_state first, so there is one at a time for each device. Beyond
-- that, states are locked in the order (device_id, rule_id), a state before its alert, and those who change rules hold
-- the whole table (see the triggers on alert_rules).

create table private.alert_states (
  -- No foreign key: a batch that met a rule being deleted would fail, and be lost, over the key.
  rule_id integer not null,
  device_id integer not null references public.devices (id) on delete cascade,
  last_at timestamptz,
  last_value double precision,
  breached_since timestamptz,
  alert_id bigint,
  last_raised_at timestamptz,
  primary key (device_id, rule_id)
)
-- Updated with every batch.
with (fillfactor = 50);
comment on table private.alert_states is 'Where each rule stands with each device. All times are recorded_at.';
comment on column private.alert_states.last_at is 'Of the newest reading judged: what is older comes too late to change anything.';
comment on column private.alert_states.last_value is 'The newest reading, from which a rate is measured.';
comment on column private.alert_states.breached_since is 'First reading of the breach that goes on; none: all is well.';
comment on column private.alert_states.alert_id is 'The active alert.';
comment on column private.alert_states.last_raised_at is 'From here the cooldown counts.';
create index alert_states_rule_id_idx on private.alert_states (rule_id);
alter table private.alert_states enable row level security;
create policy "Nobody reads where rules stand" on private.alert_states for select to device using (false);

create function private.watched_metrics(table_name text, device_ids integer[])
returns table (metric text, rule_ids integer[], rule_device_ids integer[])
language plpgsql
stable
set search_path = ''
-- From the few devices to their rules, as written, whatever the planner believes of tables that are small today.
set join_collapse_limit = 1
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  tenant_ids integer[];
  found_ids integer[];
begin
  -- In steps, each from an index, so that most batches end here whatever the planner knows of these tables.
  if not exists (
    select from public.alert_rules as rule where rule.table_name = watched_metrics.table_name and rule.is_enabled
  ) then
    return;
  end if;
  tenant_ids := array(
    select distinct above.id
    from (select distinct device.tenant_id from public.devices as device where device.id = any (device_ids)) as owner
    cross join lateral private.tenants_above(owner.tenant_id) as above (id)
  );
  found_ids := array(
    select rule.id from public.alert_rules as rule
    where rule.table_name = watched_metrics.table_name and rule.is_enabled and rule.tenant_id = any (tenant_ids)
  );
  if cardinality(found_ids) = 0 then
    return;
  end if;
  return query
    select rule.metric, array_agg(pair.rule_id), array_agg(pair.device_id)
    from private.rule_devices as pair
    join public.alert_rules as rule on rule.id = pair.rule_id
    where pair.device_id = any (device_ids) and pair.rule_id = any (found_ids)
    group by rule.metric
    order by rule.metric;
end
$$;
comment on function private.watched_metrics(text, integer[]) is
  'The columns of a table that some rule of these devices judges; and, side by side, the rules and their devices.';

create function private.note_readings(
  rule_ids integer[], rule_device_ids integer[],
  device_ids integer[], lowest double precision[], highest double precision[], last_times timestamptz[]
)
returns integer[]
-- Not in SQL, whose plans are made anew with each call.
language plpgsql
set search_path = ''
as $$
declare
  restless_ids integer[];
begin
  with judged as (
    select
      batch.device_id, rule.id as rule_id, batch.last_at,
      case
        when rule.rule_type = 'rate' then true
        when state.alert_id is not null then
          rule.rule_type = 'stale'
          or case
            when rule.is_above then batch.lowest <= coalesce(rule.clear_threshold, rule.threshold)
            else batch.highest >= coalesce(rule.clear_threshold, rule.threshold)
          end
        when rule.rule_type = 'stale' then false
        else
          state.breached_since is not null
          or case when rule.is_above then batch.highest > rule.threshold else batch.lowest < rule.threshold end
      end as is_restless
    from unnest(rule_ids, rule_device_ids) as pair (rule_id, device_id)
    join unnest(device_ids, lowest, highest, last_times) as batch (device_id, lowest, highest, last_at) using (device_id)
    join public.alert_rules as rule on rule.id = pair.rule_id
    left join private.alert_states as state on state.device_id = pair.device_id and state.rule_id = pair.rule_id
  ),
  quiet as (
    insert into private.alert_states as state (device_id, rule_id, last_at)
    select judged.device_id, judged.rule_id, judged.last_at from judged where not judged.is_restless
    order by judged.device_id, judged.rule_id
    on conflict (device_id, rule_id) do update set last_at = excluded.last_at
    where state.last_at is null or state.last_at < excluded.last_at
  )
  select array_agg(distinct judged.device_id) into restless_ids from judged where judged.is_restless;
  return restless_ids;
end
$$;
comment on function private.note_readings(
  integer[], integer[], integer[], double precision[], double precision[], timestamptz[]
) is
  'The first look at one metric of a batch: notes the time where nothing can come of it. Returns the devices to judge.';

revoke execute on function
  private.watched_metrics(text, integer[]),
  private.note_readings(integer[], integer[], integer[], double precision[], double precision[], timestamptz[])
  from public;
