-- How each device is doing, apart from what it is: this changes with every batch and never locks devices.

create table public.device_state (
  device_id integer primary key references public.devices (id) on delete cascade,
  -- A job says offline, from last_seen_at; a row of the present says online.
  status text not null default 'online' check (status in ('online', 'offline')),
  last_seen_at timestamptz not null,
  last_received_at timestamptz not null default now(),
  latest jsonb not null default '{}' check (jsonb_typeof(latest) = 'object'),
  version bigint not null default 1
)
-- Updated with every batch: room on each page lets the new version stand beside the old, and no index is touched.
with (fillfactor = 50);
comment on table public.device_state is 'The newest values of each device, kept by triggers from the rows really inserted.';
comment on column public.device_state.last_seen_at is 'recorded_at of the newest row.';
comment on column public.device_state.last_received_at is 'When the cloud last stored a row of the device, however old.';
comment on column public.device_state.latest is 'By table: the newest row with recorded_at, quality and values.';
comment on column public.device_state.version is 'Counts changes, so that a writer can tell whether it saw the newest.';

select private.open_to_people('device_state');
grant insert, update, delete on public.device_state to service_role;
