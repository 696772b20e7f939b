-- Telemetry of what surrounds the water. Reasons as in the migration before this one.

create table public.telemetry_environment (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  temperature_c real check (temperature_c between -40 and 125),
  humidity_percent real check (humidity_percent between 0 and 100),
  pressure_hpa real check (pressure_hpa between 300 and 1200),
  ph real check (ph between 0 and 14),
  conductivity_us_cm real check (conductivity_us_cm between 0 and 500000),
  dissolved_oxygen_mg_l real check (dissolved_oxygen_mg_l between 0 and 60),
  turbidity_ntu real check (turbidity_ntu between 0 and 10000),
  chlorine_mg_l real check (chlorine_mg_l between 0 and 100),
  redox_mv real check (redox_mv between -2000 and 2000),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.telemetry_environment is 'Air and water quality.';
comment on column public.telemetry_environment.temperature_c is 'In °C. Mean over the window.';
comment on column public.telemetry_environment.humidity_percent is 'In %. Mean over the window.';
comment on column public.telemetry_environment.pressure_hpa is 'In hPa. Mean over the window.';
comment on column public.telemetry_environment.ph is 'In pH. Mean over the window.';
comment on column public.telemetry_environment.conductivity_us_cm is 'In µS/cm. Mean over the window.';
comment on column public.telemetry_environment.dissolved_oxygen_mg_l is 'In mg/l. Mean over the window.';
comment on column public.telemetry_environment.turbidity_ntu is 'In NTU. Mean over the window.';
comment on column public.telemetry_environment.chlorine_mg_l is 'In mg/l. Mean over the window.';
comment on column public.telemetry_environment.redox_mv is 'In mV. Mean over the window.';
select private.partition_by_time('telemetry_environment', 'week', 90);
select private.accept_rows_from_devices('telemetry_environment', is_rolled_up => true);

create table public.telemetry_footfall (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  entries integer check (entries between 0 and 2147483647),
  exits integer check (exits between 0 and 2147483647),
  occupancy integer check (occupancy between 0 and 1000000),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.telemetry_footfall is 'People counted in and out.';
comment on column public.telemetry_footfall.entries is 'Counter, made continuous over wrap and reset.';
comment on column public.telemetry_footfall.exits is 'Counter, made continuous over wrap and reset.';
comment on column public.telemetry_footfall.occupancy is 'Last of the window.';
select private.partition_by_time('telemetry_footfall', 'week', 90);
select private.accept_rows_from_devices('telemetry_footfall', is_rolled_up => true);

create table public.telemetry_power (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  voltage_v double precision check (voltage_v between 0 and 100000),
  current_a double precision check (current_a between 0 and 100000),
  power_w double precision check (power_w between -100000000 and 100000000),
  power_factor real check (power_factor between -1 and 1),
  frequency_hz real check (frequency_hz between 0 and 1000),
  energy_kwh double precision check (energy_kwh between 0 and 10000000000),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq)
) partition by range (recorded_at);
comment on table public.telemetry_power is 'Electricity meters.';
comment on column public.telemetry_power.voltage_v is 'In V. Mean over the window.';
comment on column public.telemetry_power.current_a is 'In A. Mean over the window.';
comment on column public.telemetry_power.power_w is 'In W. Mean over the window.';
comment on column public.telemetry_power.power_factor is 'Mean over the window.';
comment on column public.telemetry_power.frequency_hz is 'In Hz. Mean over the window.';
comment on column public.telemetry_power.energy_kwh is 'In kWh. Counter, made continuous over wrap and reset.';
select private.partition_by_time('telemetry_power', 'week', 90);
select private.accept_rows_from_devices('telemetry_power', is_rolled_up => true);
