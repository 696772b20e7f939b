-- Is everything here, and once? Asked of the rows themselves.

create function private.stored_identities(only_device_id integer)
returns table (epoch integer, seq bigint, recorded_at timestamptz)
language sql
stable
set search_path = ''
as $$
  select t.epoch, t.seq, t.recorded_at from public.telemetry_tank as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.telemetry_flow as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.telemetry_deep as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.telemetry_environment as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.telemetry_footfall as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.telemetry_power as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.device_heartbeats as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.error_logs as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.attendance_logs as t
  where t.device_id = only_device_id
  union all
  select t.epoch, t.seq, t.recorded_at from public.loss_ledger as t
  where t.device_id = only_device_id;
$$;
comment on function private.stored_identities(integer) is 'The identity of every row of one device.';

create function private.size_of(ranges int8multirange)
returns bigint
language sql
immutable
set search_path = ''
as $$
  select coalesce(sum(upper(part) - lower(part)), 0)::bigint from unnest(ranges) as part;
$$;
comment on function private.size_of(int8multirange) is 'How many numbers are in the ranges.';

create table private.retired_sequences (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seqs int8multirange not null,
  rows_stored bigint not null check (rows_stored >= 0),
  primary key (device_id, epoch)
);
comment on table private.retired_sequences is
  'The numbers of rows that were stored and removed by retention, so that age never looks like loss.';
comment on column private.retired_sequences.seqs is
  'With those of rows that were there between them and may still be: few ranges, whatever stays longer.';
comment on column private.retired_sequences.rows_stored is 'Rows removed.';
alter table private.retired_sequences enable row level security;
create policy "Nobody reads what is retired" on private.retired_sequences for select to device using (false);

create function private.sequences_of(only_device_id integer)
returns table (epoch integer, seqs int8multirange, rows_stored bigint, duplicates bigint)
language sql
stable
set search_path = ''
as $$
  with identities as (
    select i.epoch, i.seq, count(*) as copies
    from private.stored_identities(only_device_id) as i
    group by i.epoch, i.seq
  ),
  -- Neighbours in a sequence have the same distance to their rank: an island.
  ranked as (
    select i.*, i.seq - row_number() over (partition by i.epoch order by i.seq) as island
    from identities as i
  ),
  islands as (
    select r.epoch, int8range(min(r.seq), max(r.seq), '[]') as seqs, sum(r.copies) as rows_stored
    from ranked as r
    group by r.epoch, r.island
  ),
  present as (
    select i.epoch, range_agg(i.seqs) as seqs, sum(i.rows_stored)::bigint as rows_stored
    from islands as i
    group by i.epoch
  ),
  merged as (
    select
      epoch,
      coalesce(present.seqs, '{}') + coalesce(retired.seqs, '{}') as seqs,
      coalesce(present.rows_stored, 0) + coalesce(retired.rows_stored, 0) as rows_stored
    from present
    full join (
      select r.epoch, r.seqs, r.rows_stored from private.retired_sequences as r where r.device_id = only_device_id
    ) as retired using (epoch)
  )
  select merged.epoch, merged.seqs, merged.rows_stored, merged.rows_stored - private.size_of(merged.seqs) from merged;
$$;
comment on function private.sequences_of(integer) is
  'The numbers that a device has ever stored, by epoch: rows that are here, and those that retention has removed.';

create function public.completeness(only_device_key text default null)
returns table (
  device_key text,
  device_id integer,
  epoch integer,
  rows_stored bigint,
  first_seq bigint,
  last_seq bigint,
  duplicates bigint,
  rows_explained bigint,
  unexplained_gaps bigint,
  rows_unexplained bigint
)
language sql
stable
security definer
set search_path = ''
as $$
  -- Device by device: what is sorted at once is the rows of one.
  select
    wanted.device_key,
    wanted.id,
    compared.epoch,
    compared.rows_stored,
    lower(compared.stored_seqs),
    upper(compared.stored_seqs) - 1,
    compared.duplicates,
    private.size_of((compared.all_seqs - compared.stored_seqs) * compared.lost_seqs),
    (select count(*) from unnest(compared.all_seqs - compared.stored_seqs - compared.lost_seqs)),
    private.size_of(compared.all_seqs - compared.stored_seqs - compared.lost_seqs)
  from public.devices as wanted
  cross join lateral (
    select
      epoch,
      coalesce(stored.rows_stored, 0) as rows_stored,
      coalesce(stored.duplicates, 0) as duplicates,
      coalesce(stored.seqs, '{}') as stored_seqs,
      coalesce(lost.seqs, '{}') as lost_seqs,
      -- Sequences start at one, so a hole at the very beginning shows too.
      int8multirange(
        int8range(1, greatest(1, coalesce(upper(stored.seqs), 1), coalesce(upper(lost.seqs), 1)), '[)')
      ) as all_seqs
    from private.sequences_of(wanted.id) as stored
    full join (
      select l.lost_epoch as epoch, range_agg(int8range(l.first_seq, l.last_seq, '[]')) as seqs
      from public.loss_ledger as l
      where l.lost_device_id = wanted.id
      group by l.lost_epoch
    ) as lost using (epoch)
  ) as compared
  where only_device_key is null or wanted.device_key = only_device_key
  order by wanted.device_key, compared.epoch;
$$;
comment on function public.completeness(text) is
  'For each device and epoch: rows stored, rows stored twice, and holes in the sequence with and without a loss entry. Rows that retention has removed count as stored.';

create function public.upload_latency(from_time timestamptz, to_time timestamptz)
returns table (readings bigint, p50_ms double precision, p95_ms double precision, p99_ms double precision)
language sql
stable
security definer
set search_path = ''
as $$
  with delays as (
    select t.received_at - t.recorded_at as delay
    from (
      select received_at, recorded_at from public.telemetry_tank
      union all select received_at, recorded_at from public.telemetry_flow
      union all select received_at, recorded_at from public.telemetry_deep
      union all select received_at, recorded_at from public.telemetry_environment
      union all select received_at, recorded_at from public.telemetry_footfall
      union all select received_at, recorded_at from public.telemetry_power
    ) as t
    where t.recorded_at >= from_time and t.recorded_at < to_time
  )
  select
    count(*),
    1000 * extract(epoch from percentile_cont(0.5) within group (order by delay)),
    1000 * extract(epoch from percentile_cont(0.95) within group (order by delay)),
    1000 * extract(epoch from percentile_cont(0.99) within group (order by delay))
  from delays;
$$;
comment on function public.upload_latency(timestamptz, timestamptz) is
  'From the moment of measuring to the moment of storing, over the telemetry recorded in [from_time, to_time).';

revoke execute on function
  private.stored_identities(integer), private.size_of(int8multirange), private.sequences_of(integer),
  public.completeness(text), public.upload_latency(timestamptz, timestamptz)
  from public, anon, authenticated;
grant execute on function public.completeness(text), public.upload_latency(timestamptz, timestamptz) to service_role;
