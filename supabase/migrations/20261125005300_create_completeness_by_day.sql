-- On which day was something missing? For people, about one device.

create function public.completeness_by_day(device_id integer, from_day date, to_day date)
returns table (day date, rows_stored bigint, duplicates bigint, rows_explained bigint, rows_unexplained bigint)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not private.may_read_device(completeness_by_day.device_id) then
    raise exception 'there is no device % that you may read', completeness_by_day.device_id
      using errcode = 'insufficient_privilege';
  end if;
  if to_day - from_day not between 0 and 366 then
    raise exception 'from % to % is not 0 to 366 days', from_day, to_day using errcode = 'invalid_parameter_value';
  end if;
  return query
  with lost as (
    select l.lost_epoch as epoch, range_agg(int8range(l.first_seq, l.last_seq, '[]')) as seqs,
      max(l.recorded_at) as told_at
    from public.loss_ledger as l
    where l.lost_device_id = completeness_by_day.device_id
    group by l.lost_epoch
  ),
  stored as (
    select i.epoch, i.seq, min(i.recorded_at) as recorded_at, count(*) as copies
    from private.stored_identities(completeness_by_day.device_id) as i
    group by i.epoch, i.seq
  ),
  marks as (
    select stored.epoch, stored.seq as first_seq, stored.seq as last_seq, stored.recorded_at, stored.copies from stored
    union all
    select r.epoch, lower(part), upper(part) - 1, null, 0
    from private.retired_sequences as r cross join lateral unnest(r.seqs) as part
    where r.device_id = completeness_by_day.device_id
    union all
    -- After what was lost last there may be no row yet; then it counts when it was told.
    select lost.epoch, upper(lost.seqs), upper(lost.seqs), lost.told_at, 0 from lost
    where not exists (select from stored where stored.epoch = lost.epoch and stored.seq >= upper(lost.seqs))
  ),
  placed as (
    select marks.*, coalesce(max(marks.last_seq) over (
      -- What is retired may begin with a row that is still here, and then that row has the day.
      partition by marks.epoch order by marks.first_seq, marks.recorded_at
      rows between unbounded preceding and 1 preceding
    ), 0) as last_before
    from marks
  ),
  counted as (
    select (placed.recorded_at at time zone 'utc')::date as day, placed.copies,
      greatest(placed.first_seq - placed.last_before - 1, 0) as missing,
      case when placed.first_seq > placed.last_before + 1 then private.size_of(
        int8multirange(int8range(placed.last_before + 1, placed.first_seq)) * lost.seqs
      ) end as explained
    from placed left join lost using (epoch)
  )
  select wanted::date, coalesce(sum(counted.copies), 0)::bigint,
    coalesce(sum(counted.copies - 1) filter (where counted.copies > 1), 0)::bigint,
    coalesce(sum(counted.explained), 0)::bigint,
    coalesce(sum(counted.missing - coalesce(counted.explained, 0)), 0)::bigint
  from generate_series(from_day::timestamp, to_day::timestamp, '1 day') as wanted
  left join counted on counted.day = wanted::date
  group by wanted
  order by wanted;
end
$$;
comment on function public.completeness_by_day(integer, date, date) is
  'Day by day in UTC, both ends included: rows stored, rows stored twice, and rows missing with and without a loss entry. What is missing counts on the day of the first row after it. Rows that retention has removed are neither missing nor counted.';
revoke execute on function public.completeness_by_day(integer, date, date) from public, anon;
grant execute on function public.completeness_by_day(integer, date, date) to authenticated, service_role;
