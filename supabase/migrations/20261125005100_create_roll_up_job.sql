-- The job that rolls up. A bucket is made anew from its rows whenever one arrives, however late, so the order in
-- which batches come and how often the job runs make no difference.

create function private.rollup_columns(table_name text, is_from_rows boolean)
returns table (name text, expression text, addition text)
language sql
stable
set search_path = ''
as $$
  select 'total_scans', 'count(*)::integer', 'kept.total_scans + excluded.total_scans'
  where table_name = 'attendance_logs'
  union all
  select 'readings', case when is_from_rows then 'count(*)::integer' else 'sum(readings)::integer' end,
    'kept.readings + excluded.readings'
  where table_name <> 'attendance_logs'
  union all
  select measured.metric || aspect.ending, format(
    case when is_from_rows then aspect.of_rows else aspect.of_buckets end, measured.metric
  ), format(aspect.addition, measured.metric)
  from private.metrics_of(table_name) as measured
  cross join (values
    -- To divide what is next to nothing is an error to Postgres (underflow), and its entry would hold up retention.
    ('_mean', 'avg(%1$s)::double precision',
      'case
         when abs(sum(%1$s_mean * %1$s_count)) > 1e-300 then sum(%1$s_mean * %1$s_count) / sum(%1$s_count)
         when sum(%1$s_count) > 0 then 0
       end',
      'case
         when abs(coalesce(kept.%1$s_mean * kept.%1$s_count, 0) + coalesce(excluded.%1$s_mean * excluded.%1$s_count, 0))
           > 1e-300
           then (coalesce(kept.%1$s_mean * kept.%1$s_count, 0) + coalesce(excluded.%1$s_mean * excluded.%1$s_count, 0))
             / (kept.%1$s_count + excluded.%1$s_count)
         when kept.%1$s_count + excluded.%1$s_count > 0 then 0
       end'),
    ('_min', 'min(%1$s)', 'min(%1$s_min)', 'least(kept.%1$s_min, excluded.%1$s_min)'),
    ('_max', 'max(%1$s)', 'max(%1$s_max)', 'greatest(kept.%1$s_max, excluded.%1$s_max)'),
    ('_count', 'count(%1$s)::integer', 'sum(%1$s_count)::integer', 'kept.%1$s_count + excluded.%1$s_count')
  ) as aspect (ending, of_rows, of_buckets, addition);
$$;
comment on function private.rollup_columns(text, boolean) is
  'The columns of the roll-ups of a table: how each is made from rows or from finer buckets, and how two buckets are one.';

create function private.make_buckets(
  table_name text, source text, time_column text, target text, width interval, device_ids integer[], spans tstzrange[]
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  made record;
begin
  select string_agg(column_of.name, ', ') as names, string_agg(column_of.expression, ', ') as expressions,
    string_agg(format('%1$s = excluded.%1$s', column_of.name), ', ') as replacements
  into made
  from private.rollup_columns(table_name, source = table_name) as column_of;
  -- Grouped inside, so that each span is one walk along the key.
  execute format(
    'insert into public.%I as kept (device_id, bucket_at, %s)
     select touched.device_id, piece.*
     from unnest($1, $2) as touched (device_id, span)
     cross join lateral (
       select date_bin($3, source.%4$I, ''epoch'') as bucket_at, %5$s
       from public.%3$I as source
       where source.device_id = touched.device_id
         and source.%4$I >= lower(touched.span) and source.%4$I < upper(touched.span)
       group by 1
     ) as piece
     on conflict (device_id, bucket_at) do update set %6$s',
    target, made.names, source, time_column, made.expressions, made.replacements
  ) using device_ids, spans, width;
end
$$;
comment on function private.make_buckets(text, text, text, text, interval, integer[], tstzrange[]) is
  'Makes the buckets of some devices and times anew, from rows or from finer buckets.';

create function private.add_to_buckets(planned private.rollups, device_ids integer[], spans tstzrange[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  made record;
  additions text := '';
  target record;
begin
  select string_agg(column_of.name, ', ') as names, string_agg(column_of.expression, ', ') as expressions,
    string_agg(format('%s = %s', column_of.name, column_of.addition), ', ') as additions
  into made
  from private.rollup_columns(planned.table_name, true) as column_of;
  for target in
    select * from (values
      (planned.fine_table, planned.fine_width, planned.fine_kept_from),
      (planned.daily_table, interval '1 day', '-infinity')
    ) as both_of (name, width, kept_from)
    where name is not null
  loop
    additions := additions || format(
      ', %I as (
         insert into public.%1$I as kept (device_id, bucket_at, %s)
         select fresh.device_id, date_bin(%L::interval, fresh.recorded_at, ''epoch''), %s
         from fresh where fresh.recorded_at >= %L
         group by 1, 2
         on conflict (device_id, bucket_at) do update set %s
       )',
      target.name, made.names, target.width, made.expressions, target.kept_from, made.additions
    );
  end loop;
  execute format(
    'with gone as (
       delete from public.%1$I as late using unnest($1, $2) as touched (device_id, span)
       where late.device_id = touched.device_id
         and late.recorded_at >= lower(touched.span) and late.recorded_at < upper(touched.span)
       returning late.*
     ),
     -- What was counted before and came again after it had been removed is known by its number.
     fresh as (
       select distinct on (gone.device_id, gone.epoch, gone.seq) gone.* from gone
       where not exists (
         select from private.retired_sequences as retired
         where retired.device_id = gone.device_id and retired.epoch = gone.epoch and retired.seqs @> gone.seq
       )
     )
     %2$s
     select private.retire_rows(%1$L, array_agg(to_jsonb(fresh))) from fresh having count(*) > 0',
    planned.table_name, additions
  ) using device_ids, spans;
end
$$;
comment on function private.add_to_buckets(private.rollups, integer[], tstzrange[]) is
  'Adds rows that came after the rows of their time were removed to the buckets of that time, and removes them too.';

create function private.roll_up_table(table_name text, device_ids integer[], hours timestamptz[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  planned private.rollups;
  touched record;
begin
  select * into planned from private.rollups where rollups.table_name = roll_up_table.table_name;
  if not found then
    return;
  end if;
  for touched in
    select bool_and(given.hour_at < planned.raw_kept_from) as is_late,
      array_agg(given.device_id order by given.device_id, given.hour_at) as device_ids,
      array_agg(tstzrange(given.hour_at, given.hour_at + interval '1 hour') order by given.device_id, given.hour_at) as spans
    from unnest(roll_up_table.device_ids, hours) as given (device_id, hour_at)
    group by given.hour_at < planned.raw_kept_from
  loop
    if touched.is_late then
      perform private.add_to_buckets(planned, touched.device_ids, touched.spans);
    elsif planned.fine_table is not null then
      perform private.make_buckets(
        table_name, table_name, 'recorded_at', planned.fine_table, planned.fine_width, touched.device_ids, touched.spans
      );
    end if;
  end loop;

  select array_agg(day.device_id order by day.device_id, day.at) as device_ids,
    array_agg(tstzrange(day.at, day.at + interval '24 hours') order by day.device_id, day.at) as spans,
    array_agg(day.at order by day.device_id, day.at) as days
  into touched
  from (
    select distinct given.device_id, date_bin('1 day', given.hour_at, 'epoch') as at
    from unnest(roll_up_table.device_ids, hours) as given (device_id, hour_at)
    where given.hour_at >= planned.raw_kept_from
  ) as day;
  if touched.days is not null then
    perform private.make_buckets(
      table_name, coalesce(planned.fine_table, table_name),
      case when planned.fine_table is null then 'recorded_at' else 'bucket_at' end,
      planned.daily_table, interval '1 day', touched.device_ids, touched.spans
    );
  end if;
  if table_name = 'device_heartbeats' then
    perform private.count_uptime(roll_up_table.device_ids, hours, planned.fine_kept_from);
  end if;
end
$$;
comment on function private.roll_up_table(text, integer[], timestamptz[]) is
  'Brings the buckets of these devices and hours up to date with the rows.';

create function private.count_uptime(device_ids integer[], hours timestamptz[], kept_from timestamptz)
returns void
language sql
set search_path = ''
as $$
  update public.device_metrics_daily as daily set uptime_h = (
    select count(*) / 12.0 from public.device_metrics_5min as heard
    where heard.device_id = daily.device_id
      and heard.bucket_at >= daily.bucket_at and heard.bucket_at < daily.bucket_at + interval '24 hours'
  )
  from (
    select distinct given.device_id, date_bin('1 day', given.hour_at, 'epoch') as day_at
    from unnest(device_ids, hours) as given (device_id, hour_at)
  ) as touched
  where daily.device_id = touched.device_id and daily.bucket_at = touched.day_at and touched.day_at >= kept_from;
$$;
comment on function private.count_uptime(integer[], timestamptz[], timestamptz) is
  'Counts again for how long these devices were heard on the days of these hours.';

create function private.rest_entry(entry_id bigint, error text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  failed private.dirty_ranges;
begin
  update private.dirty_ranges as entry set
    attempts = entry.attempts + 1,
    -- One minute, two, four, and so on up to an hour. Never given up: charts and retention know what is not rolled up.
    next_attempt_at = now() + least(interval '1 minute' * 2 ^ least(entry.attempts, 6), interval '1 hour')
  where entry.id = entry_id
  returning * into failed;
  if failed.attempts >= 5 then
    perform private.note_system_alert(
      'roll_up_' || failed.table_name,
      format(
        'Entry %s of dirty_ranges (device %s, %s to %s) could not be rolled up %s times: %s. Others go on; this one is '
        'tried again each hour, and rows of its time are kept until then.',
        failed.id, failed.device_id, failed.from_at, failed.to_at, failed.attempts, error
      ),
      true
    );
  end if;
end
$$;
comment on function private.rest_entry(bigint, text) is
  'Lets an entry that could not be rolled up rest, ever longer; from the fifth time on superadmins are told.';

create function private.roll_up_entries(table_name text, entry_ids bigint[], most_failures integer default 100)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  half constant integer := cardinality(entry_ids) / 2;
  failures integer;
begin
  begin
    -- Rows of an entry were committed with it, so this statement and those after it see them.
    perform private.roll_up_table(
      roll_up_entries.table_name, array_agg(hourly.device_id), array_agg(hourly.hour_at)
    )
    from (
      select distinct entry.device_id, hour_at
      from private.dirty_ranges as entry
      cross join lateral generate_series(
        date_bin('1 hour', entry.from_at, 'epoch'), entry.to_at, interval '1 hour'
      ) as hour_at
      where entry.id = any (entry_ids)
    ) as hourly;
    delete from private.dirty_ranges as entry where entry.id = any (entry_ids);
    return 0;
  exception when others then
    if half = 0 then
      perform private.rest_entry(entry_ids[1], sqlerrm);
      return 1;
    end if;
  end;
  -- Which of them it was is found by halving. Where all fail, that takes 10 ms each: the next call goes on.
  failures := private.roll_up_entries(table_name, entry_ids[:half], most_failures);
  if failures < most_failures then
    failures := failures
      + private.roll_up_entries(table_name, entry_ids[half + 1:], most_failures - failures);
  end if;
  return failures;
end
$$;
comment on function private.roll_up_entries(text, bigint[], integer) is
  'Rolls up what these entries of one table name, and removes them. Those that cannot be rolled up rest, at most so many; returns how many.';

create function private.roll_up(batch_size integer default 5000)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  touched record;
  taken integer := 0;
begin
  -- Retention takes the same lock: it must not remove what is being counted.
  if not pg_try_advisory_xact_lock(1883, -1) then
    return 0;
  end if;
  for touched in
    select waiting.table_name, array_agg(waiting.id order by waiting.id) as entry_ids
    from (
      select entry.id, entry.table_name from private.dirty_ranges as entry
      where entry.next_attempt_at <= now() order by entry.id limit batch_size
      for update skip locked
    ) as waiting
    group by waiting.table_name
  loop
    perform private.roll_up_entries(touched.table_name, touched.entry_ids);
    taken := taken + cardinality(touched.entry_ids);
  end loop;
  perform private.note_system_alert(told.title, '', false)
  from public.alerts as told
  where told.is_active and told.alert_type = 'system' and starts_with(told.title, 'roll_up_') and not exists (
    select from private.dirty_ranges as entry
    where entry.attempts >= 5 and entry.table_name = substr(told.title, length('roll_up_') + 1)
  );
  return taken;
end
$$;
comment on function private.roll_up(integer) is
  'Rolls up what the oldest entries name, at most this many, and returns how many it took. None while another one does it.';

revoke execute on function
  private.rollup_columns(text, boolean),
  private.make_buckets(text, text, text, text, interval, integer[], tstzrange[]),
  private.add_to_buckets(private.rollups, integer[], tstzrange[]),
  private.roll_up_table(text, integer[], timestamptz[]),
  private.count_uptime(integer[], timestamptz[], timestamptz), private.rest_entry(bigint, text),
  private.roll_up_entries(text, bigint[], integer), private.roll_up(integer)
  from public;
