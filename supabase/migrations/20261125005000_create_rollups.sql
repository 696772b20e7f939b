-- Roll-ups: what telemetry and heartbeats were by hour (5 minutes) and by day, long after the rows are gone.
-- Buckets are of UTC: a day of a site would move with its time zone, and days of a fleet could not be compared.

create table private.rollups (
  table_name text primary key,
  -- None: days are made straight from the rows.
  fine_table text,
  fine_width interval check (fine_width > interval '0'),
  daily_table text not null,
  raw_kept_from timestamptz not null default '-infinity',
  fine_kept_from timestamptz not null default '-infinity',
  constraint rollups_fine_whole check ((fine_table is null) = (fine_width is null)),
  -- Entries about what is to be rolled up are by the hour, so buckets have to fit into one.
  constraint rollups_fine_fits_an_hour check (interval '1 hour' = fine_width * (3600 / extract(epoch from fine_width))::integer)
);
comment on table private.rollups is 'Which tables are rolled up into which.';
comment on column private.rollups.fine_table is 'Holds the hours, or whatever fine_width is.';
comment on column private.rollups.raw_kept_from is
  'Before this, rows are gone. What comes for an earlier time is added to its buckets, and those are not made anew.';
comment on column private.rollups.fine_kept_from is 'Before this, only days are left.';
alter table private.rollups enable row level security;
create policy "Nobody reads the plan of roll-ups" on private.rollups for select to device using (false);

-- Charts ask what of one device is not rolled up yet.
create index dirty_ranges_device_id_idx on private.dirty_ranges (device_id, table_name);

create function private.metrics_of(table_name text)
returns table (metric text, data_type text)
language sql
stable
set search_path = ''
as $$
  select attribute.attname::text, format_type(attribute.atttypid, attribute.atttypmod)
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_type as type on type.oid = attribute.atttypid
  where attribute.attrelid = to_regclass(format('public.%I', table_name))
    and attribute.attnum > 0 and not attribute.attisdropped
    and type.typcategory = 'N'
    and attribute.attname not in ('device_id', 'epoch', 'seq', 'quality', 'time_quality')
  order by attribute.attnum;
$$;
comment on function private.metrics_of(text) is 'The columns of a table that hold what was measured, with their types.';

create function private.add_rollup_columns(target text, table_name text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  measured record;
begin
  for measured in select metric, data_type from private.metrics_of(table_name) loop
    execute format(
      'alter table public.%I
         add column if not exists %I double precision,
         add column if not exists %I %s,
         add column if not exists %I %s,
         add column if not exists %I integer not null default 0',
      target, measured.metric || '_mean',
      measured.metric || '_min', measured.data_type,
      measured.metric || '_max', measured.data_type,
      measured.metric || '_count'
    );
    execute format(
      'comment on column public.%I.%I is %L',
      target, measured.metric || '_count', 'Rows that had a value; what the mean is a mean of.'
    );
  end loop;
end
$$;
comment on function private.add_rollup_columns(text, text) is
  'Gives a roll-up mean, min, max and count for each metric of a table. Repeated after the table got a new metric.';

create function private.create_rollups(
  table_name text,
  fine_table text default null,
  fine_width interval default '1 hour',
  daily_table text default null,
  partition_width text default 'month',
  keep_days integer default 366
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  fine text := coalesce(fine_table, table_name || '_hourly');
  daily text := coalesce(daily_table, table_name || '_daily');
  target text;
begin
  insert into private.rollups (table_name, fine_table, fine_width, daily_table)
  values (table_name, fine, fine_width, daily);
  foreach target in array array[fine, daily] loop
    execute format(
      'create table public.%I (
         device_id integer not null,
         bucket_at timestamptz not null,
         readings integer not null default 0,
         primary key (device_id, bucket_at)
       ) %s',
      target,
      -- A day is written anew with every hour of it.
      case when target = fine then 'partition by range (bucket_at)' else 'with (fillfactor = 70)' end
    );
    execute format('comment on column public.%I.bucket_at is %L', target, 'Where the bucket begins, in UTC.');
    execute format('comment on column public.%I.readings is %L', target, 'Rows in the bucket.');
    perform private.add_rollup_columns(target, table_name);
    perform private.open_to_people(target);
    execute format('grant insert, update, delete on public.%I to service_role', target);
  end loop;
  execute format('comment on table public.%I is %L', fine, format('%s by %s, made from its rows.', table_name, fine_width));
  execute format('comment on table public.%I is %L', daily, format('%s by day, kept when its rows are gone.', table_name));
  perform private.partition_by_time(fine, partition_width, keep_days, 'bucket_at');
end
$$;
comment on function private.create_rollups(text, text, interval, text, text, integer) is
  'Makes the two roll-ups of a table whose rows devices send, with columns after its metrics.';

revoke execute on function
  private.metrics_of(text), private.add_rollup_columns(text, text),
  private.create_rollups(text, text, interval, text, text, integer)
  from public;

select private.create_rollups(name)
from unnest(array[
  'telemetry_tank', 'telemetry_flow', 'telemetry_deep', 'telemetry_environment', 'telemetry_footfall', 'telemetry_power'
]) as name;

select private.create_rollups(
  'device_heartbeats', 'device_metrics_5min', '5 minutes', 'device_metrics_daily', 'week', 90
);
alter table public.device_metrics_daily
  add column uptime_h real not null default 0,
  add column total_scans integer not null default 0;
comment on column public.device_metrics_daily.uptime_h is
  'Hours of the day in which the device was heard, counted in pieces of 5 minutes.';
comment on column public.device_metrics_daily.total_scans is 'Rows in attendance_logs, whatever their result.';

insert into private.rollups (table_name, daily_table) values ('attendance_logs', 'device_metrics_daily');
