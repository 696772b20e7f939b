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
       where recorded_at between $2 and $3 and device_id = any (array(
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
    -- Bounded on both sides, so that the plan knows one or two partitions and not all that were made ahead. Devices whose
    -- clock is ahead are taken in up to a minute.
    using device_ids, since, now() + interval '2 minutes';
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

create function private.judge_health(
  facts private.health_facts, out score integer, out known double precision, out components json
)
language plpgsql
immutable
set search_path = ''
as $$
declare
  tolerated constant interval := make_interval(secs => facts.offline_after_s);
  failures constant bigint := coalesce(facts.errors, 0) + coalesce(facts.criticals, 0);
  missing constant bigint := facts.rows_expected - facts.rows_stored;
  -- Of numbers that came twice there may be more than expected. ("least" alone would take nothing known for all.)
  present constant numeric := case
    when facts.rows_expected > 0 then least(facts.rows_stored::numeric / facts.rows_expected, 1)
  end;
  battery constant double precision := private.battery_score(facts.battery_v);
  -- In the order of the components below.
  weights constant integer[] := array[
    35,
    -- A hub that only sends heartbeats has no readings to be good.
    case when facts.rows_stored > 0 and facts.readings = 0 then 0 else 25 end,
    15,
    15,
    case when battery is null then 0 else 10 end
  ];
  scores constant integer[] := array[
    -- Full for a third of what is tolerated, then falling: one late batch is nothing.
    case when facts.silent_s is null then 0 else round(
      100 * least(greatest((facts.offline_after_s - facts.silent_s) / (facts.offline_after_s * 2 / 3.0), 0), 1)
    ) end,
    round(100.0 * facts.good_readings / nullif(facts.readings, 0)),
    round(100 * present),
    case
      when facts.silent_s is not null
        then greatest(100 - 10 * coalesce(facts.errors, 0) - 30 * coalesce(facts.criticals, 0), 0)
    end,
    round(battery)
  ];
  points integer := 0;
  weight_known integer := 0;
  weight_of_all integer := 0;
begin
  for place in 1 .. 5 loop
    weight_of_all := weight_of_all + weights[place];
    continue when scores[place] is null;
    weight_known := weight_known + weights[place];
    points := points + weights[place] * scores[place];
  end loop;
  score := round(points::numeric / weight_known);
  known := weight_known::double precision / weight_of_all;
  -- Not jsonb, which takes twice as long to make: of five hundred devices that is what one waits for.
  components := json_build_object(
    'freshness', json_build_object(
      'value', round(facts.silent_s), 'weight', weights[1], 'score', scores[1],
      'sentence', case
        when facts.silent_s is null then 'Never heard of.'
        when facts.silent_s > facts.offline_after_s then format(
          'Silent for %s; more than %s is offline, and the score is at most 20.',
          make_interval(secs => round(facts.silent_s)), tolerated
        )
        else format('Heard %s s ago; up to %s is in order.', greatest(round(facts.silent_s), 0), tolerated)
      end
    ),
    'quality', json_build_object(
      'value', round(facts.good_readings::numeric / nullif(facts.readings, 0), 3),
      'weight', weights[2], 'score', scores[2],
      'sentence', case
        when coalesce(facts.readings, 0) = 0 then 'No readings in the last 15 minutes to judge.'
        else format('%s of %s readings of the last 15 minutes are good.', facts.good_readings, facts.readings)
      end
    ),
    'completeness', json_build_object(
      'value', round(present, 3), 'weight', weights[3], 'score', scores[3],
      'sentence', case
        when coalesce(facts.rows_expected, 0) = 0 then 'No rows in the last 15 minutes to count.'
        when missing <= 0 then 'No row of the last 15 minutes is missing.'
        else format('%s of %s rows of the last 15 minutes are missing.', missing, facts.rows_expected)
      end
    ),
    'errors', json_build_object(
      'value', failures, 'weight', weights[4], 'score', scores[4],
      'sentence', case
        when failures = 0 then 'No errors in the last 24 hours.'
        else format('%s errors in the last 24 hours, %s of them critical.', failures, coalesce(facts.criticals, 0))
      end
    ),
    'battery', json_build_object(
      'value', facts.battery_v, 'weight', weights[5], 'score', scores[5],
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
  'A score from 0 to 100; how much of what could be is known, from 0 to 1; and the reasons, by name: each with its value, weight, score (none: not known, does not count) and a sentence.';

create function public.device_health(only_device_id integer default null)
returns table (device_id integer, score integer, confidence double precision, components json)
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
    select
      device.id,
      least(judged.score, case when age.silent_s <= device.offline_after_s then 100 else 20 end),
      -- As much as is known of what could be, and as sure as ten rows make it.
      round((judged.known * least(coalesce(counted.rows_stored, 0) / 10.0, 1))::numeric, 2)::double precision,
      judged.components
    from public.devices as device
    left join public.device_state as state on state.device_id = device.id
    cross join lateral (
      select extract(epoch from now() - state.last_seen_at)::double precision as silent_s
    ) as age
    left join private.count_recent_rows(device_ids, now() - interval '15 minutes') as counted
      on counted.device_id = device.id
    left join private.count_recent_errors(device_ids, now() - interval '24 hours') as failed
      on failed.device_id = device.id
    cross join lateral private.judge_health(row(
      age.silent_s, device.offline_after_s, counted.readings, counted.good_readings, counted.rows_stored,
      counted.rows_expected, failed.errors, failed.criticals,
      coalesce(
        state.latest -> 'telemetry_tank' ->> 'battery_v', state.latest -> 'telemetry_flow' ->> 'battery_v'
      )
    )::private.health_facts) as judged
    where device.id = any (device_ids)
    order by device.id;
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
