-- Telemetry of water: one column for each metric, in the order and with the bounds of shared_schema/metrics.py.
-- Range checks are the last guard against a device that sends nonsense; "NaN" fails them too. There is no foreign
-- key to devices: the policy for insert already knows only existing devices, and a key would cost every row.

create table public.telemetry_tank (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  water_level_cm real check (water_level_cm between 0 and 5000),
  volume_l integer check (volume_l between 0 and 100000000),
  temperature_c real check (temperature_c between -40 and 125),
  tds_ppm integer check (tds_ppm between 0 and 50000),
  ph real check (ph between 0 and 14),
  battery_v real check (battery_v between 0 and 60),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.telemetry_tank is 'Level and content of tanks and reservoirs, and the water in them.';
comment on column public.telemetry_tank.water_level_cm is 'In cm. Mean over the window.';
comment on column public.telemetry_tank.volume_l is 'In l. Mean over the window.';
comment on column public.telemetry_tank.temperature_c is 'In °C. Mean over the window.';
comment on column public.telemetry_tank.tds_ppm is 'In ppm. Mean over the window.';
comment on column public.telemetry_tank.ph is 'In pH. Mean over the window.';
comment on column public.telemetry_tank.battery_v is 'In V. Last of the window.';
select private.partition_by_time('telemetry_tank', 'week', 90);
select private.accept_rows_from_devices('telemetry_tank', is_rolled_up => true);

create table public.telemetry_flow (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  flow_rate_lpm double precision check (flow_rate_lpm between -1000000 and 1000000),
  cumulative_volume_l double precision check (cumulative_volume_l between 0 and 1000000000000),
  pressure_bar real check (pressure_bar between -1 and 1000),
  temperature_c real check (temperature_c between -40 and 125),
  battery_v real check (battery_v between 0 and 60),
  status_code integer check (status_code between 0 and 65535),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.telemetry_flow is 'Flow meters: rate, totaliser and pressure.';
comment on column public.telemetry_flow.flow_rate_lpm is 'In l/min. Mean over the window.';
comment on column public.telemetry_flow.cumulative_volume_l is 'In l. Counter, made continuous over wrap and reset.';
comment on column public.telemetry_flow.pressure_bar is 'In bar. Mean over the window.';
comment on column public.telemetry_flow.temperature_c is 'In °C. Mean over the window.';
comment on column public.telemetry_flow.battery_v is 'In V. Last of the window.';
comment on column public.telemetry_flow.status_code is 'Last of the window.';
select private.partition_by_time('telemetry_flow', 'week', 90);
select private.accept_rows_from_devices('telemetry_flow', is_rolled_up => true);

create table public.telemetry_deep (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  static_water_level_m real check (static_water_level_m between 0 and 1000),
  dynamic_water_level_m real check (dynamic_water_level_m between 0 and 1000),
  pump_status integer check (pump_status between 0 and 255),
  pump_speed_rpm integer check (pump_speed_rpm between 0 and 60000),
  pump_power_w integer check (pump_power_w between -10000000 and 10000000),
  pump_current_a real check (pump_current_a between 0 and 10000),
  pump_frequency_hz real check (pump_frequency_hz between 0 and 1000),
  status_code integer check (status_code between 0 and 65535),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.telemetry_deep is 'Deep wells: water levels and the pump.';
comment on column public.telemetry_deep.static_water_level_m is 'In m. Last of the window.';
comment on column public.telemetry_deep.dynamic_water_level_m is 'In m. Mean over the window.';
comment on column public.telemetry_deep.pump_status is 'Last of the window.';
comment on column public.telemetry_deep.pump_speed_rpm is 'In rpm. Mean over the window.';
comment on column public.telemetry_deep.pump_power_w is 'In W. Mean over the window.';
comment on column public.telemetry_deep.pump_current_a is 'In A. Mean over the window.';
comment on column public.telemetry_deep.pump_frequency_hz is 'In Hz. Mean over the window.';
comment on column public.telemetry_deep.status_code is 'Last of the window.';
select private.partition_by_time('telemetry_deep', 'week', 90);
select private.accept_rows_from_devices('telemetry_deep', is_rolled_up => true);
