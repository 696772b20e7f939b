-- Partitions on their way into object storage: somebody outside claims one, reads it row by row, stores it, and says
-- what was stored. Only then may retention remove it.

create table private.archives (
  id bigint generated always as identity primary key,
  table_name text not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- None: late rows, which wait in late_rows.
  leaf text,
  claimed_until timestamptz not null default '-infinity',
  object_path text check (char_length(object_path) between 1 and 1000),
  rows bigint check (rows >= 0),
  bytes bigint check (bytes >= 0),
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  finished_at timestamptz,
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  constraint archives_finished_whole check (
    finished_at is null or (object_path is not null and rows is not null and bytes is not null and sha256 is not null)
  )
);
comment on table private.archives is 'What is in the archive or on its way: the only list of it, so kept for good.';
comment on column private.archives.claimed_until is 'Until then somebody is working on it. Reading prolongs it.';
comment on column private.archives.object_path is 'Where in object storage.';
comment on column private.archives.sha256 is 'Of the stored object, in hex.';
comment on column private.archives.removed_at is
  'When the partition was removed. One that is made later under its name is another, with an archive of its own.';
alter table private.archives enable row level security;
create policy "Nobody reads archives" on private.archives for select to device using (false);
-- A partition goes into one archive.
create unique index archives_leaf_idx on private.archives (leaf) where leaf is not null and removed_at is null;
create index archives_waiting_idx on private.archives (id) where finished_at is null;

create function public.switch_archiving(is_on boolean)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  changed integer;
begin
  if is_on then
    insert into private.archived_tables (table_name)
    select planned.table_name from private.partitioned_tables as planned
    -- Hours are not archived: they can be made from the rows.
    where planned.table_name not in (select made.fine_table from private.rollups as made where made.fine_table is not null)
    on conflict do nothing;
  else
    delete from private.archived_tables;
  end if;
  get diagnostics changed = row_count;
  return changed;
end
$$;
comment on function public.switch_archiving(boolean) is
  'On: retention waits until partitions are archived. Off: it removes them without. Returns how many tables changed.';

create function private.note_what_to_archive()
returns void
language plpgsql
set search_path = ''
as $$
declare
  parcel record;
  new_id bigint;
begin
  insert into private.archives (table_name, from_at, to_at, leaf)
  select planned.table_name, part.from_at, part.to_at, part.leaf
  from private.archived_tables as archived
  join private.partitioned_tables as planned on planned.table_name = archived.table_name
  cross join lateral private.partitions_of(planned.table_name) as part
  where part.to_at <= now() - make_interval(days => planned.keep_days)
  order by part.to_at, planned.table_name
  on conflict (leaf) where leaf is not null and removed_at is null do nothing;

  -- One archive for all late rows of a table, and not oftener than daily.
  for parcel in
    select late.table_name, min(late.recorded_at) as from_at, max(late.recorded_at) as to_at, max(late.id) as last_id
    from private.late_rows as late
    where late.archive_id is null
    group by late.table_name
    having not exists (
      select from private.archives as recent
      where recent.table_name = late.table_name and recent.leaf is null
        and recent.created_at > now() - interval '1 day'
    )
  loop
    insert into private.archives (table_name, from_at, to_at)
    values (parcel.table_name, parcel.from_at, parcel.to_at)
    returning id into new_id;
    update private.late_rows set archive_id = new_id
    where late_rows.table_name = parcel.table_name and late_rows.archive_id is null and late_rows.id <= parcel.last_id;
  end loop;
end
$$;
comment on function private.note_what_to_archive() is 'Lists the partitions and late rows that have become old enough.';

create function public.claim_archive()
returns table (archive_id bigint, table_name text, from_at timestamptz, to_at timestamptz)
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.note_what_to_archive();
  return query
  update private.archives set claimed_until = now() + interval '15 minutes'
  where archives.id = (
    select waiting.id from private.archives as waiting
    where waiting.finished_at is null and waiting.claimed_until < now()
    order by waiting.id limit 1
    for update skip locked
  )
  returning archives.id, archives.table_name, archives.from_at, archives.to_at;
end
$$;
comment on function public.claim_archive() is
  'Gives one piece of work to whoever archives, and to nobody else for 15 minutes; nothing when there is none.';

create function public.read_archive(archive_id bigint, after_row bigint default 0, batch_size integer default 10000)
returns table (row_number bigint, line jsonb)
language plpgsql
security definer
set search_path = ''
-- Batches follow the rows as they lie on disk, so a scan has to begin where the last one ended.
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
as $$
declare
  archive private.archives;
begin
  update private.archives set claimed_until = now() + interval '15 minutes'
  where archives.id = read_archive.archive_id and archives.finished_at is null
  returning * into archive;
  if not found then
    raise exception 'archive % is finished or does not exist', archive_id using errcode = 'foreign_key_violation';
  end if;
  if archive.leaf is null then
    return query
    select late.id, late.line from private.late_rows as late
    where late.archive_id = read_archive.archive_id and late.id > after_row
    order by late.id limit batch_size;
    return;
  end if;
  return query execute format(
    'select (((part.ctid::text::point)[0])::bigint << 16) + ((part.ctid::text::point)[1])::bigint, to_jsonb(part)
     from partitions.%I as part where part.ctid > $1 limit $2',
    archive.leaf
  ) using format('(%s,%s)', after_row >> 16, after_row & 65535)::tid, batch_size;
end
$$;
comment on function public.read_archive(bigint, bigint, integer) is
  'The next rows of an archive, after the last row_number of the batch before. Numbers rise but leave gaps. No rows: the end.';

create function public.release_archive(archive_id bigint)
returns void
language sql
security definer
set search_path = ''
as $$
  update private.archives set claimed_until = '-infinity'
  where archives.id = release_archive.archive_id and archives.finished_at is null;
$$;
comment on function public.release_archive(bigint) is
  'Gives a claimed archive back at once, for whoever works in slices: the next claim goes on with it.';

create function private.count_archive(archive private.archives)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
  counted bigint;
begin
  if archive.leaf is null then
    return (select count(*) from private.late_rows as late where late.archive_id = archive.id);
  end if;
  execute format('select count(*) from partitions.%I', archive.leaf) into counted;
  return counted;
end
$$;
comment on function private.count_archive(private.archives) is 'How many rows should be in it, counted now.';

create function public.finish_archive(archive_id bigint, object_path text, rows bigint, bytes bigint, sha256 text)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  archive private.archives;
  counted bigint;
begin
  select * into archive from private.archives where archives.id = archive_id and finished_at is null for update;
  if not found then
    raise exception 'archive % is finished or does not exist', archive_id using errcode = 'foreign_key_violation';
  end if;
  counted := private.count_archive(archive);
  if counted is distinct from finish_archive.rows then
    raise exception 'archive % has % rows and not %', archive_id, counted, finish_archive.rows
      using errcode = 'check_violation', hint = 'Rows came while it was read. Read it again from the first.';
  end if;
  update private.archives set
    object_path = finish_archive.object_path, rows = finish_archive.rows, bytes = finish_archive.bytes,
    sha256 = finish_archive.sha256, finished_at = now()
  where archives.id = archive_id;
  delete from private.late_rows as late where late.archive_id = finish_archive.archive_id;
end
$$;
comment on function public.finish_archive(bigint, text, bigint, bigint, text) is
  'Says that an archive is stored, and where. Refused when the number of rows is not that in the database.';

revoke execute on function
  private.note_what_to_archive(), private.count_archive(private.archives),
  public.switch_archiving(boolean), public.claim_archive(), public.read_archive(bigint, bigint, integer),
  public.release_archive(bigint), public.finish_archive(bigint, text, bigint, bigint, text)
  from public, anon, authenticated;
grant execute on function
  public.switch_archiving(boolean), public.claim_archive(), public.read_archive(bigint, bigint, integer),
  public.release_archive(bigint), public.finish_archive(bigint, text, bigint, bigint, text)
  to service_role;
