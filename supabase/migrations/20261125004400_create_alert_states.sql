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
returns table (metrics text[], rule_ids integer[], rule_device_ids integer[])
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
    select array_agg(distinct rule.metric order by rule.metric), array_agg(pair.rule_id), array_agg(pair.device_id)
    from private.rule_devices as pair
    join public.alert_rules as rule on rule.id = pair.rule_id
    where pair.device_id = any (device_ids) and pair.rule_id = any (found_ids)
    having count(*) > 0;
end
$$;
comment on function private.watched_metrics(text, integer[]) is
  'The columns of a table that some rule of these devices judges; and, side by side, the rules and their devices.';

-- The two queries below are run by the trigger alone, because only there the batch has a name, "inserted".

create function private.first_look_of(metrics text[])
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    'select looked.restless_metric as metric, looked.restless_rule_ids as rule_ids,
       looked.restless_device_ids as device_ids
     from (
       select array_agg(series.metric) as metrics, array_agg(batch.device_id) as device_ids,
         array_agg(series.lowest) as lowest, array_agg(series.highest) as highest, array_agg(series.last_at) as last_times
       from (
         select device_id, array[%s] as lowest, array[%s] as highest, array[%s] as last_times
         from inserted group by device_id
       ) as batch
       cross join lateral unnest($1, batch.lowest, batch.highest, batch.last_times)
         as series (metric, lowest, highest, last_at)
       where series.last_at is not null
     ) as seen
     cross join lateral private.note_readings(
       $2, $3, seen.metrics, seen.device_ids, seen.lowest, seen.highest, seen.last_times
     ) as looked',
    string_agg(format('min(%I)::double precision', metric), ', ' order by place),
    string_agg(format('max(%I)::double precision', metric), ', ' order by place),
    string_agg(
      format('max(recorded_at) filter (where %I::double precision between ''-1e300'' and ''1e300'')', metric),
      ', ' order by place
    )
  )
  from unnest(metrics) with ordinality as watched (metric, place);
$$;
comment on function private.first_look_of(text[]) is
  'The query for the extremes of these columns of a batch, and what of them to judge: $1 metrics, $2 rules, $3 their devices.';

create function private.closer_look_of(metric text)
returns text
language sql
immutable
set search_path = ''
as $$
  -- What is no number (NaN, infinity) is between nothing and left out.
  select format(
    'select private.judge_readings(
       (select array_agg(pair.rule_id) from unnest($1, $2) as pair (rule_id, device_id)
        where pair.device_id = series.device_id),
       series.device_id, series.times, series.readings
     )
     from (
       select device_id,
         array_agg(recorded_at order by recorded_at, epoch, seq) as times,
         array_agg(%1$I::double precision order by recorded_at, epoch, seq) as readings
       from inserted where %1$I::double precision between ''-1e300'' and ''1e300'' and device_id = any ($2)
       group by device_id order by device_id
     ) as series',
    metric
  );
$$;
comment on function private.closer_look_of(text) is
  'The query that judges a column of a batch: $1 rules, $2 their devices, side by side.';

create function private.note_readings(
  rule_ids integer[], rule_device_ids integer[],
  metrics text[], device_ids integer[], lowest double precision[], highest double precision[], last_times timestamptz[]
)
returns table (restless_metric text, restless_rule_ids integer[], restless_device_ids integer[])
-- Not in SQL, whose plans are made anew with each call.
language plpgsql
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
    with judged as (
      select
        batch.device_id, rule.id as rule_id, rule.metric, batch.last_at,
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
      from unnest(note_readings.rule_ids, note_readings.rule_device_ids) as pair (rule_id, device_id)
      join public.alert_rules as rule on rule.id = pair.rule_id
      join unnest(metrics, device_ids, lowest, highest, last_times)
        as batch (metric, device_id, lowest, highest, last_at)
        on batch.device_id = pair.device_id and batch.metric = rule.metric
      left join private.alert_states as state on state.device_id = pair.device_id and state.rule_id = pair.rule_id
    ),
    quiet as (
      insert into private.alert_states as state (device_id, rule_id, last_at)
      select judged.device_id, judged.rule_id, judged.last_at from judged where not judged.is_restless
      order by judged.device_id, judged.rule_id
      on conflict (device_id, rule_id) do update set last_at = excluded.last_at
      where state.last_at is null or state.last_at < excluded.last_at
    )
    select judged.metric, array_agg(judged.rule_id), array_agg(judged.device_id)
    from judged where judged.is_restless
    group by judged.metric order by judged.metric;
end
$$;
comment on function private.note_readings(
  integer[], integer[], text[], integer[], double precision[], double precision[], timestamptz[]
) is
  'The first look at a batch: notes the time where nothing can come of it. Returns the rules and devices to judge.';

revoke execute on function
  private.watched_metrics(text, integer[]), private.first_look_of(text[]), private.closer_look_of(text),
  private.note_readings(
    integer[], integer[], text[], integer[], double precision[], double precision[], timestamptz[]
  )
  from public;
