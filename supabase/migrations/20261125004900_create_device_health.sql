-- How well a device is, as a number with its reasons, so that nobody has to believe it.

create function private.count_recent_rows(device_ids integer[], since timestamptz)
returns table (device_id integer, readings bigint, good_readings bigint, rows_stored bigint, rows_expected bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
  parts text;
begin
  -- Only the tables from which these devices are known: most tables have rows of few of them.
  select string_agg(
    format(
      'select device_id, epoch, seq, %1$L::boolean and quality = 0 as is_good, %1$L::boolean as is_reading from public.%2$I
       where recorded_at >= $2 and device_id = any (array(
         select state.device_id from public.device_state as state
         where state.device_id = any ($1) and state.latest ? %2$L
       ))',
      sent.table_name like 'telemetry%', sent.table_name
    ),
    ' union all '
  ) into parts
  from (
    select distinct jsonb_object_keys(state.latest) as table_name
    from public.device_state as state where state.device_id = any (device_ids)
  ) as sent;
  if parts is null then
    return;
  end if;
  -- The numbers of a device run on over all tables: between the first and the last of them none is missing.
  return query execute
    'select counted.device_id, sum(counted.readings)::bigint, sum(counted.good)::bigint, sum(counted.rows)::bigint,
       sum(counted.expected)::bigint
     from (
       select part.device_id, part.epoch, count(*) filter (where part.is_reading) as readings,
         count(*) filter (where part.is_good) as good, count(*) as rows, max(part.seq) - min(part.seq) + 1 as expected
       from (' || parts || ') as part group by part.device_id, part.epoch
     ) as counted group by counted.device_id'
    using device_ids, since;
end
$$;
comment on function private.count_recent_rows(integer[], timestamptz) is
  'For each device: readings since then, good ones, rows of any kind, and how many their numbers make one expect.';

create function private.count_recent_errors(device_ids integer[], since timestamptz)
returns table (device_id integer, errors bigint, criticals bigint)
language sql
stable
set search_path = ''
as $$
  select
    logged.device_id,
    count(*) filter (where logged.level = 'error'),
    count(*) filter (where logged.level = 'critical')
  from public.error_logs as logged
  where logged.recorded_at >= since and logged.device_id = any (device_ids)
  group by logged.device_id;
$$;
comment on function private.count_recent_errors(integer[], timestamptz) is 'Errors and critical errors of each device since then.';

create function private.battery_score(battery_v double precision)
returns double precision
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- A lithium cell, or lead of 12 or 24 V, from empty to full.
  return case
    when battery_v between 2.5 and 4.5 then 100 * least(greatest((battery_v - 3.3) / (4.0 - 3.3), 0), 1)
    when battery_v between 9 and 16 then 100 * least(greatest((battery_v - 11.4) / (12.6 - 11.4), 0), 1)
    when battery_v between 18 and 32 then 100 * least(greatest((battery_v - 22.8) / (25.2 - 22.8), 0), 1)
  end;
end
$$;
comment on function private.battery_score(double precision) is
  '0 (empty) to 100 (full), by the usual voltages of the type it seems to be; none: a type unknown.';

create type private.health_facts as (
  silent_s double precision,
  offline_after_s integer,
  readings bigint,
  good_readings bigint,
  rows_stored bigint,
  rows_expected bigint,
  errors bigint,
  criticals bigint,
  battery_v double precision
);
comment on type private.health_facts is 'What the health of one device is judged by; what is not known is null.';

create function private.judge_health(facts private.health_facts)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  tolerated constant interval := make_interval(secs => facts.offline_after_s);
  failures constant bigint := coalesce(facts.errors, 0) + coalesce(facts.criticals, 0);
  missing constant bigint := facts.rows_expected - facts.rows_stored;
  battery constant double precision := private.battery_score(facts.battery_v);
begin
  return jsonb_build_object(
    'freshness', jsonb_build_object(
      'value', round(facts.silent_s), 'weight', 35,
      -- Full for a third of what is tolerated, then falling: one late batch is nothing.
      'score', case when facts.silent_s is null then 0 else round(
        100 * least(greatest((facts.offline_after_s - facts.silent_s) / (facts.offline_after_s * 2 / 3.0), 0), 1)
      ) end,
      'sentence', case
        when facts.silent_s is null then 'Never heard of.'
        when facts.silent_s > facts.offline_after_s then format(
          'Silent for %s; more than %s is offline, and the score is at most 20.',
          make_interval(secs => round(facts.silent_s)), tolerated
        )
        else format('Heard %s s ago; up to %s is in order.', greatest(round(facts.silent_s), 0), tolerated)
      end
    ),
    'quality', jsonb_build_object(
      'value', round(facts.good_readings::numeric / nullif(facts.readings, 0), 3),
      -- A hub that only sends heartbeats has no readings to be good.
      'weight', case when facts.rows_stored > 0 and facts.readings = 0 then 0 else 25 end,
      'score', round(100.0 * facts.good_readings / nullif(facts.readings, 0)),
      'sentence', case
        when coalesce(facts.readings, 0) = 0 then 'No readings in the last 15 minutes to judge.'
        else format('%s of %s readings of the last 15 minutes are good.', facts.good_readings, facts.readings)
      end
    ),
    'completeness', jsonb_build_object(
      'value', round(least(facts.rows_stored::numeric / nullif(facts.rows_expected, 0), 1), 3), 'weight', 15,
      'score', round(least(100.0 * facts.rows_stored / nullif(facts.rows_expected, 0), 100)),
      'sentence', case
        when coalesce(facts.rows_expected, 0) = 0 then 'No rows in the last 15 minutes to count.'
        when missing <= 0 then 'No row of the last 15 minutes is missing.'
        else format('%s of %s rows of the last 15 minutes are missing.', missing, facts.rows_expected)
      end
    ),
    'errors', jsonb_build_object(
      'value', failures, 'weight', 15,
      'score', case
        when facts.silent_s is not null
          then greatest(100 - 10 * coalesce(facts.errors, 0) - 30 * coalesce(facts.criticals, 0), 0)
      end,
      'sentence', case
        when failures = 0 then 'No errors in the last 24 hours.'
        else format('%s errors in the last 24 hours, %s of them critical.', failures, coalesce(facts.criticals, 0))
      end
    ),
    'battery', jsonb_build_object(
      'value', facts.battery_v, 'weight', case when battery is null then 0 else 10 end, 'score', round(battery),
      'sentence', case
        when facts.battery_v is null then 'No battery is known of.'
        when battery is null then format('%s V is no battery we know how to judge.', facts.battery_v)
        else format('%s V is about %s %% of full.', facts.battery_v, round(battery))
      end
    )
  );
end
$$;
comment on function private.judge_health(private.health_facts) is
  'The reasons of a score: by name, each with its value, weight, score (none: not known, does not count) and a sentence.';

create function public.device_health(only_device_id integer default null)
returns table (device_id integer, score integer, confidence double precision, components jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  device_ids integer[] := array(
    select device.id from public.devices as device
    where device.id = any (private.readable_device_ids(only_device_id))
      and device.status in ('approved', 'active') and device.revoked_at is null
  );
begin
  return query
    with judged as materialized (
      select
        device.id, counted.rows_stored,
        case when age.silent_s <= device.offline_after_s then 100 else 20 end as most,
        private.judge_health(row(
          age.silent_s, device.offline_after_s, counted.readings, counted.good_readings, counted.rows_stored,
          counted.rows_expected, failed.errors, failed.criticals,
          coalesce(
            state.latest -> 'telemetry_tank' ->> 'battery_v', state.latest -> 'telemetry_flow' ->> 'battery_v'
          )
        )::private.health_facts) as parts
      from public.devices as device
      left join public.device_state as state on state.device_id = device.id
      cross join lateral (
        select extract(epoch from now() - state.last_seen_at)::double precision as silent_s
      ) as age
      left join private.count_recent_rows(device_ids, now() - interval '15 minutes') as counted
        on counted.device_id = device.id
      left join private.count_recent_errors(device_ids, now() - interval '24 hours') as failed
        on failed.device_id = device.id
      where device.id = any (device_ids)
    )
    select
      judged.id,
      least(round(weighed.score), judged.most)::integer,
      -- As much as is known of what could be, and as sure as ten rows make it.
      round(weighed.known * least(coalesce(judged.rows_stored, 0) / 10.0, 1), 2)::double precision,
      judged.parts
    from judged
    cross join lateral (
      select
        sum(part.score * part.weight) / sum(part.weight) filter (where part.score is not null) as score,
        sum(part.weight) filter (where part.score is not null)::numeric / sum(part.weight) as known
      from (
        select (one.value ->> 'score')::numeric as score, (one.value ->> 'weight')::integer as weight
        from jsonb_each(judged.parts) as one
      ) as part
    ) as weighed
    order by judged.id;
end
$$;
comment on function public.device_health(integer) is
  'For each device one may see: a score from 0 to 100, how sure it is from 0 to 1, and the reasons, each with a sentence.';

revoke execute on function
  private.count_recent_rows(integer[], timestamptz), private.count_recent_errors(integer[], timestamptz),
  private.battery_score(double precision), private.judge_health(private.health_facts)
  from public;
revoke execute on function public.device_health(integer) from public, anon, authenticated;
grant execute on function public.device_health(integer) to authenticated, service_role;
