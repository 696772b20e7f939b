-- What devices say about themselves: heartbeats and errors.

create table public.device_heartbeats (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  cpu_percent real,
  ram_percent real,
  storage_percent real,
  temperature_c real,
  uptime_s bigint,
  queue_length bigint,
  network_status text check (char_length(network_status) <= 500),
  received_at timestamptz not null default now(),
  primary key (device_id, epoch, seq, recorded_at)
) partition by range (recorded_at);
comment on table public.device_heartbeats is 'How the machine of a hub or node is doing.';
comment on column public.device_heartbeats.storage_percent is 'Used, of the volume that holds the data.';
comment on column public.device_heartbeats.temperature_c is 'Of the processor, in °C.';
comment on column public.device_heartbeats.queue_length is 'Rows that wait on the device for the cloud.';
select private.partition_weekly('device_heartbeats', 90);
select private.accept_rows_from_devices('device_heartbeats');

create table public.error_logs (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  level text not null check (level in ('info', 'warning', 'error', 'critical')),
  -- Free text comes from devices; the bound keeps one of them from filling the disk.
  code text not null check (char_length(code) <= 500),
  message text not null check (char_length(message) <= 500),
  context text check (char_length(context) <= 500),
  received_at timestamptz not null default now(),
  primary key (device_id, epoch, seq, recorded_at)
) partition by range (recorded_at);
comment on table public.error_logs is 'What went wrong on a device, once for each cause while it lasts.';
comment on column public.error_logs.code is 'Short and stable, for grouping.';
comment on column public.error_logs.message is 'What failed, where, what to do.';
select private.partition_weekly('error_logs', 90);
select private.accept_rows_from_devices('error_logs');
