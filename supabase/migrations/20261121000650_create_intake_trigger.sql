-- What follows when rows arrive: the one trigger of every table that devices fill.
--
-- It runs once for a batch and sees only the rows really inserted, so a batch sent twice changes nothing: not the
-- latest values, not an alert, not a message. Locks are taken in one order, states by device and then alerts.

create table private.dirty_ranges (
  id bigint generated always as identity primary key,
  table_name text not null,
  device_id integer not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default '-infinity'
);
comment on table private.dirty_ranges is
  'What has to be rolled up anew: an entry for each device and hour of a batch. Only ever added to, so batches never wait here.';
comment on column private.dirty_ranges.from_at is 'recorded_at of the first row.';
comment on column private.dirty_ranges.to_at is 'recorded_at of the last row, inclusive.';
comment on column private.dirty_ranges.attempts is 'How often it could not be rolled up; others do not wait for it.';
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
  watched record;
  restless record;
begin
  with hourly as materialized (
    select
      inserted.device_id, date_bin('1 hour', inserted.recorded_at, 'epoch') as hour_at,
      min(inserted.recorded_at) as from_at, max(inserted.recorded_at) as to_at
    from inserted group by 1, 2
  ),
  dirty as (
    insert into private.dirty_ranges (table_name, device_id, from_at, to_at)
    select tg_table_name, hourly.device_id, hourly.from_at, hourly.to_at from hourly where is_rolled_up
  ),
  seen as (
    insert into public.device_state as state (device_id, last_seen_at, latest)
    select distinct on (newest.device_id)
      newest.device_id,
      newest.recorded_at,
      jsonb_build_object(
        tg_table_name, to_jsonb(newest) - array['device_id', 'epoch', 'seq', 'time_quality', 'received_at']
      )
    from (select hourly.device_id, max(hourly.to_at) as at from hourly group by hourly.device_id) as last
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
  select
    array_agg(seen.device_id order by seen.device_id),
    array_agg(seen.device_id order by seen.device_id) filter (where seen.status = 'offline')
  into ids, returning_ids
  from seen;
  if ids is null then
    return null;
  end if;

  -- Touches a row only the first time a device sends anything.
  update public.devices set status = 'active' where devices.id = any (ids) and devices.status = 'approved';

  if tg_table_name = 'device_heartbeats' then
    perform private.count_heartbeats(
      array_agg(hourly.device_id), array_agg(hourly.hour_at), array_agg(hourly.rows)
    )
    from (
      select inserted.device_id, date_bin('1 hour', inserted.recorded_at, 'epoch') as hour_at, count(*)::integer as rows
      from inserted group by 1, 2
    ) as hourly;
  end if;

  -- One pass over the batch tells which rules and devices are worth a closer look, usually none.
  for watched in select * from private.watched_metrics(tg_table_name, ids) loop
    for restless in execute private.first_look_of(watched.metrics)
      using watched.metrics, watched.rule_ids, watched.rule_device_ids
    loop
      execute private.closer_look_of(restless.metric) using restless.rule_ids, restless.device_ids;
    end loop;
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
