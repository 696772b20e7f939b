-- What devices say beside telemetry: heartbeats, errors, who was seen.

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
  rssi_dbm bigint check (rssi_dbm between -150 and 50),
  free_memory_bytes bigint check (free_memory_bytes >= 0),
  reset_cause text check (char_length(reset_cause) <= 40),
  battery_v real check (battery_v between 0 and 60),
  clock_offset_ms bigint check (abs(clock_offset_ms) <= 9007199254740991),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.device_heartbeats is 'How the machine of a hub or node is doing.';
comment on column public.device_heartbeats.storage_percent is 'Used, of the volume that holds the data.';
comment on column public.device_heartbeats.temperature_c is 'Of the processor, in °C.';
comment on column public.device_heartbeats.queue_length is 'Rows that wait on the device for the cloud.';
comment on column public.device_heartbeats.rssi_dbm is 'How strongly the device hears its Wi-Fi.';
comment on column public.device_heartbeats.reset_cause is 'Why the device started last.';
comment on column public.device_heartbeats.clock_offset_ms is 'How far the hub last moved the clock of the device.';
select private.partition_by_time('device_heartbeats', 'week', 7);
select private.accept_rows_from_devices('device_heartbeats', is_rolled_up => true);

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
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.error_logs is 'What went wrong on a device, once for each cause while it lasts.';
comment on column public.error_logs.code is 'Short and stable, for grouping.';
comment on column public.error_logs.message is 'What failed, where, what to do.';
select private.partition_by_time('error_logs', 'week', 30);
select private.accept_rows_from_devices('error_logs', is_rolled_up => false);
-- The live log reads the newest of all devices.
create index error_logs_recorded_at_idx on public.error_logs (recorded_at desc);

create table public.attendance_logs (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  student_id text not null check (char_length(student_id) <= 500),
  student_name text check (char_length(student_name) <= 500),
  result text not null check (result in ('success', 'fail', 'not_found')),
  scan_type text not null check (scan_type in ('qr', 'face')),
  error_details text check (char_length(error_details) <= 500),
  photo_url text check (char_length(photo_url) <= 500),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.attendance_logs is 'Who was seen by an attendance terminal, and with what result.';
comment on column public.attendance_logs.student_id is 'As the terminal knows the person.';
comment on column public.attendance_logs.result is 'success: known and present; not_found: unknown or absent; fail: could not be read.';
comment on column public.attendance_logs.scan_type is 'What was looked at: a code or a face.';
comment on column public.attendance_logs.error_details is 'Why it failed, in the words of the terminal.';
select private.partition_by_time('attendance_logs', 'week', 90);
select private.accept_rows_from_devices('attendance_logs', is_rolled_up => true);
create index attendance_logs_recorded_at_idx on public.attendance_logs (recorded_at desc);
