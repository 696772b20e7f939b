-- The job that removes what is too old.

create function private.is_in_archive(table_name text, leaf text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  archive private.archives;
begin
  if not exists (
    select from private.archived_tables as archived where archived.table_name = is_in_archive.table_name
  ) then
    return true;
  end if;
  select * into archive from private.archives
  where archives.leaf = is_in_archive.leaf and archives.removed_at is null for update;
  if archive.finished_at is null then
    return false;
  end if;
  if private.count_archive(archive) = archive.rows then
    return true;
  end if;
  update private.archives set finished_at = null, claimed_until = '-infinity' where archives.id = archive.id;
  return false;
end
$$;
comment on function private.is_in_archive(text, text) is
  'True when nothing keeps a partition from being dropped. What got rows after it was archived is archived again.';

create function private.retire_until(
  planned private.partitioned_tables, until timestamptz, leaf text default null
)
returns text
language plpgsql
set search_path = ''
-- Giving up is cheap. It has to be sooner than an insert that waits for the partition, and holds the table, finds that
-- the two of us would wait for ever: it would be the one to fail.
set lock_timeout = '200ms'
as $$
declare
  is_of_rows constant boolean :=
    not exists (select from private.rollups as made where made.fine_table = planned.table_name);
  removed bigint;
begin
  if leaf is not null then
    -- Rows for this partition wait from here on; those of today do not.
    execute format('lock table partitions.%I in share mode', leaf);
    if is_of_rows and not private.is_in_archive(planned.table_name, leaf) then
      return null;
    end if;
  end if;
  removed := private.remove_strays(planned, until);
  if leaf is not null then
    if is_of_rows then
      perform private.remember_sequences(planned.table_name, leaf);
    end if;
    execute format('drop table partitions.%I', leaf);
    -- Longer retention brings partitions of this name back: then what is stored must not be written over.
    update private.archives set removed_at = now()
    where archives.leaf = retire_until.leaf and archives.removed_at is null;
  end if;
  update private.rollups as made set
    raw_kept_from = case when made.table_name = planned.table_name
      then greatest(made.raw_kept_from, until) else made.raw_kept_from end,
    fine_kept_from = case when made.fine_table = planned.table_name
      then greatest(made.fine_kept_from, until) else made.fine_kept_from end
  where planned.table_name in (made.table_name, made.fine_table);
  -- Asked at the end: what came between the first statement and the last is seen here and undoes them all.
  if exists (
    select from private.dirty_ranges as waiting
    where waiting.table_name = planned.table_name and waiting.from_at < until
  ) then
    raise exception '% is not rolled up until %', planned.table_name, until using errcode = 'lock_not_available';
  end if;
  if leaf is null and removed = 0 then
    return null;
  end if;
  return format('%s until %s: %s rows', planned.table_name, until, removed)
    || coalesce(' and ' || leaf, '');
end
$$;
comment on function private.retire_until(private.partitioned_tables, timestamptz, text) is
  'Removes everything before a time: single rows and, if named, the oldest partition. Says what it removed, if anything.';

create function private.retire_next(planned private.partitioned_tables)
returns text
language plpgsql
set search_path = ''
as $$
declare
  oldest record;
  stray_at timestamptz;
  are_many boolean;
  until timestamptz :=
    date_trunc(planned.width, (now() - make_interval(days => planned.keep_days)) at time zone 'utc') at time zone 'utc';
begin
  -- Hours outlive the rows that they are made from, or those would be rolled up into a hole.
  until := least(until, (select min(made.raw_kept_from) from private.rollups as made
                         where made.fine_table = planned.table_name));
  select * into oldest from private.partitions_of(planned.table_name) limit 1;
  execute format(
    'select min(%1$I), count(*) > 20000 from partitions.%2$I where %1$I < $1',
    planned.time_column, planned.table_name || '_default'
  ) into stray_at, are_many using until;
  -- Many strays day by day, so that a step stays small. Few go with the next partition: a device that goes on sending
  -- what is too old would otherwise keep partitions here for ever.
  if are_many and stray_at < coalesce(oldest.from_at, 'infinity') then
    return private.retire_until(planned, date_bin('1 day', stray_at, 'epoch') + interval '24 hours');
  end if;
  if oldest.to_at <= until then
    return private.retire_until(planned, oldest.to_at, oldest.leaf);
  end if;
  return private.retire_until(planned, until);
exception
  when lock_not_available or deadlock_detected then
    return null;
end
$$;
comment on function private.retire_next(private.partitioned_tables) is
  'Takes one step of retention of a table, if one is due and nobody is in the way.';

create function private.apply_retention()
returns text
language plpgsql
set search_path = ''
as $$
declare
  planned private.partitioned_tables;
  done text;
begin
  if not pg_try_advisory_xact_lock(1883, -1) then
    return 'roll-ups are running';
  end if;
  -- Locks on a table last until the transaction ends, so one step is enough for one.
  -- Whoever waited longest comes first, or a table that always has something to remove would be the only one.
  for planned in select * from private.partitioned_tables order by retired_at, table_name loop
    done := private.retire_next(planned);
    if done is not null then
      update private.partitioned_tables as served set retired_at = clock_timestamp()
      where served.table_name = planned.table_name;
      exit;
    end if;
  end loop;
  return done;
end
$$;
comment on function private.apply_retention() is
  'Removes the oldest partition that is due, or old rows outside partitions. Says what; none: nothing is due, or it has to wait.';

create function private.prune(batch_size integer default 50000)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  rule private.retention_rules;
  removed bigint;
  total bigint := 0;
begin
  for rule in select * from private.retention_rules order by table_name loop
    execute format(
      'delete from %1$s where ctid = any (array(
         select ctid from %1$s where %2$I < now() - make_interval(days => $1) limit $2
       ))',
      rule.table_name::regclass, rule.time_column
    ) using rule.keep_days, batch_size;
    get diagnostics removed = row_count;
    total := total + removed;
  end loop;
  -- Where pg_cron is, it notes every run and never forgets one.
  if to_regclass('cron.job_run_details') is not null then
    execute 'delete from cron.job_run_details where end_time < now() - interval ''7 days''';
    get diagnostics removed = row_count;
    total := total + removed;
  end if;
  return total;
end
$$;
comment on function private.prune(integer) is 'Removes old rows of tables without partitions, by retention_rules, and returns how many.';

revoke execute on function
  private.is_in_archive(text, text),
  private.retire_until(private.partitioned_tables, timestamptz, text),
  private.retire_next(private.partitioned_tables), private.apply_retention(), private.prune(integer)
  from public;
