-- Range partitions by recorded_at, one a week, made ahead and back to the retention so that late rows land.

create table private.partitioned_tables (
  table_name text primary key,
  -- Rows are refused when older than this, so no partition further back is needed.
  keep_days integer not null check (keep_days > 0),
  -- How long inserts go on landing in their own partition if nobody makes new ones.
  ahead_days integer not null default 28 check (ahead_days > 0)
);
comment on table private.partitioned_tables is 'Which tables have weekly partitions, and how far they reach.';
alter table private.partitioned_tables enable row level security;
create policy "Nobody reads the plan of partitions" on private.partitioned_tables for select to device using (false);

create function private.make_partition(table_name text, week_start timestamptz)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  leaf text := table_name || to_char(week_start at time zone 'utc', '"_"IYYY"w"IW');
  week_end timestamptz := week_start + interval '7 days';
begin
  if to_regclass(format('partitions.%I', leaf)) is not null then
    return false;
  end if;
  execute format('create table partitions.%I (like public.%I including defaults including constraints)', leaf, table_name);
  -- Rows that came before their partition wait in the default one; attaching would fail on them.
  execute format(
    'with early as (delete from partitions.%I where recorded_at >= $1 and recorded_at < $2 returning *)
     insert into partitions.%I select * from early',
    table_name || '_default', leaf
  ) using week_start, week_end;
  execute format(
    'alter table public.%I attach partition partitions.%I for values from (%L) to (%L)',
    table_name, leaf, week_start, week_end
  );
  return true;
end
$$;
comment on function private.make_partition(text, timestamptz) is
  'Makes one weekly partition, taking over its rows from the default partition. False when it was there.';

create function private.make_partitions()
returns integer
language sql
set search_path = ''
as $$
  select count(*)::integer
  from (
    select private.make_partition(planned.table_name, week_start) as is_new
    from private.partitioned_tables as planned
    cross join lateral generate_series(
      date_trunc('week', now() - make_interval(days => planned.keep_days), 'UTC'),
      now() + make_interval(days => planned.ahead_days),
      interval '7 days'
    ) as week_start
  ) as made
  where made.is_new;
$$;
comment on function private.make_partitions() is
  'Makes the partitions that are missing between retention and the weeks ahead. Returns how many. Safe to repeat.';

create function private.partition_weekly(table_name text, keep_days integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.partitioned_tables (table_name, keep_days) values (table_name, keep_days);
  -- If the job that makes partitions stands still, rows go on being stored, only slower.
  execute format('create table partitions.%I partition of public.%I default', table_name || '_default', table_name);
  perform private.make_partitions();
end
$$;
comment on function private.partition_weekly(text, integer) is 'Puts a partitioned table under weekly partitions.';

revoke execute on function
  private.make_partition(text, timestamptz), private.make_partitions(), private.partition_weekly(text, integer)
  from public;
