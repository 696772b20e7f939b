-- How each device is doing, apart from what it is: this changes with every batch and never locks devices.

create table public.device_state (
  device_id integer primary key references public.devices (id) on delete cascade,
  -- Offline is decided by a job, from last_seen_at.
  status text not null default 'online' check (status in ('online', 'offline')),
  last_seen_at timestamptz not null,
  last_received_at timestamptz not null default now(),
  latest jsonb not null default '{}' check (jsonb_typeof(latest) = 'object'),
  version bigint not null default 1
);
comment on table public.device_state is 'The newest values of each device, kept by triggers from the rows really inserted.';
comment on column public.device_state.last_seen_at is 'recorded_at of the newest row.';
comment on column public.device_state.last_received_at is 'When the cloud last stored a row of the device, however old.';
comment on column public.device_state.latest is 'By table: the newest row with recorded_at, quality and values.';
comment on column public.device_state.version is 'Counts changes, so that a writer can tell whether it saw the newest.';

alter table public.device_state enable row level security;
grant select, insert, update, delete on public.device_state to service_role;
-- Closed until tenants have members.
create policy "Nobody reads device state" on public.device_state for select to authenticated using (false);

create function private.note_inserted()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.device_state as state (device_id, last_seen_at, latest)
  select
    newest.device_id,
    newest.recorded_at,
    jsonb_build_object(
      tg_table_name,
      to_jsonb(newest) - array['device_id', 'epoch', 'seq', 'time_quality', 'received_at']
    )
  from (
    select distinct on (inserted.device_id) inserted.*
    from inserted
    order by inserted.device_id, inserted.recorded_at desc, inserted.seq desc
  ) as newest
  -- One order for all, so that two batches about the same devices cannot wait for each other.
  order by newest.device_id
  on conflict (device_id) do update set
    status = 'online',
    last_seen_at = greatest(state.last_seen_at, excluded.last_seen_at),
    last_received_at = now(),
    -- Late rows are stored, but they are not the latest.
    latest = case
      when (state.latest -> tg_table_name ->> 'recorded_at')::timestamptz > excluded.last_seen_at
        then state.latest
      else state.latest || excluded.latest
    end,
    version = state.version + 1;

  -- Touches a row only the first time a device sends anything.
  update public.devices
  set status = 'active'
  where devices.status = 'approved'
    and devices.id = any (array(select distinct inserted.device_id from inserted));
  return null;
end
$$;
comment on function private.note_inserted() is
  'Keeps device_state. Sees only rows really inserted, so a batch sent twice changes nothing.';
revoke execute on function private.note_inserted() from public;
