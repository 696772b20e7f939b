-- Range partitions by time, made ahead and back to the retention so that late rows land.

create table private.partitioned_tables (
  table_name text primary key,
  time_column text not null,
  width text not null check (width in ('day', 'week', 'month')),
  keep_days integer not null check (keep_days > 0),
  -- How long inserts go on landing in their own partition if nobody makes new ones.
  ahead_days integer not null default 28 check (ahead_days > 0),
  retired_at timestamptz not null default '-infinity'
);
comment on table private.partitioned_tables is 'Which tables are partitioned, how finely, and how far they reach.';
comment on column private.partitioned_tables.width is 'A change holds for partitions made from then on.';
comment on column private.partitioned_tables.keep_days is
  'The retention. Rows that come later than that, up to 90 days, land in the default partition and are dropped from there.';
comment on column private.partitioned_tables.retired_at is 'When retention last took a step here.';
alter table private.partitioned_tables enable row level security;
create policy "Nobody reads the plan of partitions" on private.partitioned_tables for select to device using (false);

create function private.make_partition(planned private.partitioned_tables, starts_at timestamptz)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  forms constant jsonb := '{"day": "_YYYY_MM_DD", "week": "_IYYY\"w\"IW", "month": "_YYYY\"m\"MM"}';
  leaf text := planned.table_name || to_char(starts_at at time zone 'utc', forms ->> planned.width);
  ends_at timestamptz :=
    (starts_at at time zone 'utc' + ('1 ' || planned.width)::interval) at time zone 'utc';
begin
  if to_regclass(format('partitions.%I', leaf)) is not null then
    return false;
  end if;
  execute format(
    'create table partitions.%I (like public.%I including defaults including constraints)', leaf, planned.table_name
  );
  -- Rows that came before their partition wait in the default one; attaching would fail on them.
  execute format(
    'with early as (delete from partitions.%1$I where %2$I >= $1 and %2$I < $2 returning *)
     insert into partitions.%3$I select * from early',
    planned.table_name || '_default', planned.time_column, leaf
  ) using starts_at, ends_at;
  execute format(
    'alter table public.%I attach partition partitions.%I for values from (%L) to (%L)',
    planned.table_name, leaf, starts_at, ends_at
  );
  return true;
end
$$;
comment on function private.make_partition(private.partitioned_tables, timestamptz) is
  'Makes one partition, taking over its rows from the default partition. False when it was there.';

create function private.make_partitions()
returns integer
language sql
set search_path = ''
as $$
  select count(*)::integer
  from (
    select private.make_partition(planned, starts_at) as is_new
    from private.partitioned_tables as planned
    cross join lateral (
      select day_start at time zone 'utc' as starts_at
      from generate_series(
        date_trunc(
          planned.width,
          -- Nothing older than 90 days is taken in.
          now() at time zone 'utc' - make_interval(days => least(planned.keep_days, 90))
        ),
        now() at time zone 'utc' + make_interval(days => planned.ahead_days),
        ('1 ' || planned.width)::interval
      ) as day_start
    ) as step
  ) as made
  where made.is_new;
$$;
comment on function private.make_partitions() is
  'Makes the partitions that are missing between retention and the weeks ahead. Returns how many. Safe to repeat.';

create function private.partition_by_time(
  table_name text, width text, keep_days integer, time_column text default 'recorded_at'
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.partitioned_tables (table_name, time_column, width, keep_days)
  values (table_name, time_column, width, keep_days);
  -- If the job that makes partitions stands still, rows go on being stored, only slower.
  execute format('create table partitions.%I partition of public.%I default', table_name || '_default', table_name);
  perform private.make_partitions();
end
$$;
comment on function private.partition_by_time(text, text, integer, text) is
  'Puts a table that is partitioned by range of time_column under partitions of this width.';

revoke execute on function
  private.make_partition(private.partitioned_tables, timestamptz), private.make_partitions(),
  private.partition_by_time(text, text, integer, text)
  from public;
