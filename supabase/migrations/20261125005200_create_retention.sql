-- How long what is kept, as data, and the job that acts on it. Partitions go whole and one at a time, oldest first;
-- never before everything in them is rolled up, and where archiving is switched on never before it is archived.

create table private.retention_rules (
  table_name text primary key,
  time_column text not null,
  keep_days integer not null check (keep_days > 0)
);
comment on table private.retention_rules is
  'Tables that are no partitions: rows go when time_column is this many days ago. For partitions see partitioned_tables.';
comment on column private.retention_rules.table_name is 'With its schema.';
comment on column private.retention_rules.time_column is 'A row without a time in it stays.';
alter table private.retention_rules enable row level security;
create policy "Nobody reads the rules of retention" on private.retention_rules for select to device using (false);

insert into private.retention_rules (table_name, time_column, keep_days)
select 'public.' || planned.daily_table, 'bucket_at', 5 * 365 + 2 from private.rollups as planned
on conflict do nothing;
insert into private.retention_rules (table_name, time_column, keep_days) values
  -- Rows are taken in for 90 days, so their limit has to be counted as long.
  ('private.heartbeat_hours', 'hour_at', 92),
  ('private.device_token_requests', 'minute', 1),
  ('private.device_token_families', 'expires_at', 31),
  -- With their events and notifications; what is still active stays.
  ('public.alerts', 'cleared_at', 366),
  -- With their history and approvals.
  ('public.device_commands', 'finished_at', 366),
  ('public.audit_logs', 'occurred_at', 2 * 366),
  ('public.device_downtime', 'ended_at', 5 * 365 + 2);

create table private.archived_tables (
  table_name text primary key references private.partitioned_tables (table_name)
);
comment on table private.archived_tables is
  'Tables for which archiving is switched on: their rows are not removed before they are in the archive. None at first.';
alter table private.archived_tables enable row level security;
create policy "Nobody reads what is archived" on private.archived_tables for select to device using (false);

create table private.late_rows (
  id bigint generated always as identity primary key,
  table_name text not null,
  recorded_at timestamptz not null,
  archive_id bigint,
  line jsonb not null
);
comment on table private.late_rows is
  'Rows that came after the rest of their time was archived and removed. They wait here for an archive of their own.';
comment on column private.late_rows.archive_id is 'The archive they go into, once there is one.';
alter table private.late_rows enable row level security;
create policy "Nobody reads late rows" on private.late_rows for select to device using (false);
create index late_rows_archive_id_idx on private.late_rows (archive_id, id);

create function private.partitions_of(table_name text)
returns table (leaf text, from_at timestamptz, to_at timestamptz)
language sql
stable
set search_path = ''
as $$
  select class.relname::text,
    substring(bound.text from $r$FROM \('([^']+)'\)$r$)::timestamptz,
    substring(bound.text from $r$TO \('([^']+)'\)$r$)::timestamptz
  from pg_catalog.pg_inherits as child
  join pg_catalog.pg_class as class on class.oid = child.inhrelid
  cross join lateral (select pg_get_expr(class.relpartbound, class.oid) as text) as bound
  where child.inhparent = to_regclass(format('public.%I', table_name)) and bound.text <> 'DEFAULT'
  order by 2;
$$;
comment on function private.partitions_of(text) is 'The partitions of a table with their times, oldest first, without the default one.';

create function private.remember_sequences(table_name text, leaf text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  span record;
  neighbours text;
begin
  select part.from_at, part.to_at into span
  from private.partitions_of(remember_sequences.table_name) as part where part.leaf = remember_sequences.leaf;
  -- The numbers of a device run on over its tables, and heartbeats go months before telemetry: alone each of them would
  -- be a range. Rows in default partitions are left out: they are removed one by one, and counted if not known yet.
  select string_agg(
    format(
      ' union all select device_id, epoch, seq, false from partitions.%I where recorded_at >= $1 and recorded_at < $2',
      beside.leaf
    ), ''
  ) into neighbours
  from private.partitioned_tables as planned
  cross join lateral private.partitions_of(planned.table_name) as beside
  where planned.time_column = 'recorded_at' and planned.table_name <> remember_sequences.table_name
    and beside.from_at < span.to_at and beside.to_at > span.from_at;
  execute format(
    'insert into private.retired_sequences as kept (device_id, epoch, seqs, rows_stored)
     select device_id, epoch, range_agg(int8range(seq, seq + 1)), count(*) filter (where is_going)
     from (select device_id, epoch, seq, true as is_going from partitions.%I%s) as stored
     group by device_id, epoch having bool_or(is_going)
     on conflict (device_id, epoch) do update set
       seqs = kept.seqs + excluded.seqs,
       rows_stored = kept.rows_stored + excluded.rows_stored',
    leaf, neighbours
  ) using span.from_at, span.to_at;
end
$$;
comment on function private.remember_sequences(text, text) is
  'Notes the numbers of the rows of a partition that is about to go, and of those beside them that stay.';

create function private.retire_rows(table_name text, rows jsonb[])
returns bigint
language plpgsql
set search_path = ''
as $$
begin
  insert into private.retired_sequences as kept (device_id, epoch, seqs, rows_stored)
  select (line ->> 'device_id')::integer, (line ->> 'epoch')::integer,
    range_agg(int8range((line ->> 'seq')::bigint, (line ->> 'seq')::bigint + 1)), count(*)
  from unnest(rows) as line
  group by 1, 2
  on conflict (device_id, epoch) do update set
    seqs = kept.seqs + excluded.seqs,
    -- What was sent again after it had been removed is no second row.
    rows_stored = kept.rows_stored + excluded.rows_stored - private.size_of(kept.seqs * excluded.seqs);

  insert into private.late_rows (table_name, recorded_at, line)
  select retire_rows.table_name, (line ->> 'recorded_at')::timestamptz, line
  from unnest(rows) as line
  where exists (select from private.archived_tables as archived where archived.table_name = retire_rows.table_name);
  return cardinality(rows);
end
$$;
comment on function private.retire_rows(text, jsonb[]) is
  'Notes the numbers of single rows that have just been removed, and keeps the rows for the archive where there is one.';

create function private.remove_strays(planned private.partitioned_tables, until timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  removed bigint;
begin
  execute format(
    'with gone as (delete from partitions.%1$I where %2$I < $1 returning *) select %3$s from gone',
    planned.table_name || '_default', planned.time_column,
    case
      when exists (select from private.rollups as made where made.fine_table = planned.table_name) then 'count(*)'
      else format('coalesce(private.retire_rows(%L, array_agg(to_jsonb(gone))), 0)', planned.table_name)
    end
  ) into removed using until;
  return removed;
end
$$;
comment on function private.remove_strays(private.partitioned_tables, timestamptz) is
  'Removes old rows from the default partition and returns how many.';

revoke execute on function
  private.partitions_of(text), private.remember_sequences(text, text), private.retire_rows(text, jsonb[]),
  private.remove_strays(private.partitioned_tables, timestamptz)
  from public;
