-- What follows when rows arrive: the one trigger of every table that devices fill.
--
-- It runs once for a batch and sees only the rows really inserted, so a batch sent twice changes nothing: not the
-- latest values, not an alert, not a message. Locks are taken in one order, states by device and then alerts.

create table private.dirty_ranges (
  id bigint generated always as identity primary key,
  table_name text not null,
  device_id integer not null,
  from_at timestamptz not null,
  to_at timestamptz not null
);
comment on table private.dirty_ranges is
  'What has to be rolled up anew: an entry for each device and hour of a batch. Only ever added to, so batches never wait here.';
comment on column private.dirty_ranges.from_at is 'recorded_at of the first row.';
comment on column private.dirty_ranges.to_at is 'recorded_at of the last row, inclusive.';
alter table private.dirty_ranges enable row level security;
create policy "Nobody reads what is to be rolled up" on private.dirty_ranges for select to device using (false);

create table private.heartbeat_hours (
  device_id integer not null,
  hour_at timestamptz not null,
  rows integer not null,
  primary key (device_id, hour_at)
);
comment on table private.heartbeat_hours is 'Heartbeats by device and recorded hour, to hold them to a thousand.';
alter table private.heartbeat_hours enable row level security;
create policy "Nobody reads counts of heartbeats" on private.heartbeat_hours for select to device using (false);

create function private.count_heartbeats(device_ids integer[], hours timestamptz[], counts integer[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  too_many record;
begin
  insert into private.heartbeat_hours as counted (device_id, hour_at, rows)
  select * from unnest(device_ids, hours, counts) as batch (device_id, hour_at, rows)
  order by batch.device_id, batch.hour_at
  on conflict (device_id, hour_at) do update set rows = counted.rows + excluded.rows;

  select counted.device_id, counted.hour_at into too_many
  from unnest(device_ids, hours) as batch (device_id, hour_at)
  join private.heartbeat_hours as counted using (device_id, hour_at)
  where counted.rows > 1000
  limit 1;
  if found then
    raise exception 'more than 1000 heartbeats of device % in the hour from %', too_many.device_id, too_many.hour_at
      using hint = 'One every 30 seconds is usual. Raise the interval.';
  end if;
end
$$;
comment on function private.count_heartbeats(integer[], timestamptz[], integer[]) is
  'Refuses the batch when a device has more than 1000 heartbeats in one recorded hour: that is a fault or an attack.';
revoke execute on function private.count_heartbeats(integer[], timestamptz[], integer[]) from public;

create function private.note_inserted()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  is_rolled_up constant boolean := tg_argv[0];
  ids integer[];
  returning_ids integer[];
  restless_ids integer[];
  watched record;
begin
  select array_agg(distinct inserted.device_id order by inserted.device_id) into ids from inserted;
  if ids is null then
    return null;
  end if;

  with seen as (
    insert into public.device_state as state (device_id, last_seen_at, latest)
    select distinct on (newest.device_id)
      newest.device_id,
      newest.recorded_at,
      jsonb_build_object(
        tg_table_name, to_jsonb(newest) - array['device_id', 'epoch', 'seq', 'time_quality', 'received_at']
      )
    from (select inserted.device_id, max(inserted.recorded_at) as at from inserted group by inserted.device_id) as last
    join inserted as newest on newest.device_id = last.device_id and newest.recorded_at = last.at
    order by newest.device_id, newest.seq desc
    on conflict (device_id) do update set
      last_seen_at = greatest(state.last_seen_at, excluded.last_seen_at),
      last_received_at = now(),
      -- Late rows are stored, but they are not the latest.
      latest = case
        when (state.latest -> tg_table_name ->> 'recorded_at')::timestamptz > excluded.last_seen_at
          then state.latest
        else state.latest || excluded.latest
      end,
      version = state.version + 1
    returning state.device_id, state.status
  )
  select array_agg(seen.device_id order by seen.device_id) filter (where seen.status = 'offline') into returning_ids
  from seen;

  -- Touches a row only the first time a device sends anything.
  update public.devices set status = 'active' where devices.id = any (ids) and devices.status = 'approved';

  if is_rolled_up then
    insert into private.dirty_ranges (table_name, device_id, from_at, to_at)
    select tg_table_name, inserted.device_id, min(inserted.recorded_at), max(inserted.recorded_at)
    from inserted
    group by inserted.device_id, date_bin('1 hour', inserted.recorded_at, 'epoch');
  end if;
  if tg_table_name = 'device_heartbeats' then
    perform private.count_heartbeats(
      array_agg(hourly.device_id), array_agg(hourly.hour_at), array_agg(hourly.rows)
    )
    from (
      select inserted.device_id, date_bin('1 hour', inserted.recorded_at, 'epoch') as hour_at, count(*)::integer as rows
      from inserted group by 1, 2
    ) as hourly;
  end if;

  -- The rules say which columns matter. Their extremes tell which devices are worth a closer look, usually none; of
  -- those the series are handed over. What is no number (NaN, infinity) is between nothing and left out.
  for watched in select * from private.watched_metrics(tg_table_name, ids) loop
    execute format(
      'select private.note_readings(
         $1, $2, array_agg(batch.device_id), array_agg(batch.lowest), array_agg(batch.highest), array_agg(batch.last_at)
       )
       from (
         select device_id, min(%1$I)::double precision as lowest, max(%1$I)::double precision as highest,
           max(recorded_at) as last_at
         from inserted where %1$I between -1e300 and 1e300 group by device_id
       ) as batch',
      watched.metric
    ) into restless_ids using watched.rule_ids, watched.rule_device_ids;
    continue when restless_ids is null;
    execute format(
      'select private.judge_readings(
         (select array_agg(pair.rule_id) from unnest($1, $2) as pair (rule_id, device_id)
          where pair.device_id = series.device_id),
         series.device_id, series.times, series.readings
       )
       from (
         select device_id,
           array_agg(recorded_at order by recorded_at, epoch, seq) as times,
           array_agg(%1$I::double precision order by recorded_at, epoch, seq) as readings
         from inserted where %1$I between -1e300 and 1e300 and device_id = any ($3)
         group by device_id order by device_id
       ) as series',
      watched.metric
    ) using watched.rule_ids, watched.rule_device_ids, restless_ids;
  end loop;
  if returning_ids is not null then
    perform private.note_return(returning_ids);
  end if;
  perform private.broadcast_batch(tg_table_name, ids);
  return null;
end
$$;
comment on function private.note_inserted() is
  'Keeps states, marks what to roll up, judges alerts and tells subscribers, once for each batch. Argument: is it rolled up.';
revoke execute on function private.note_inserted() from public;
