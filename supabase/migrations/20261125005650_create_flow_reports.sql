-- What is asked of flow meters.

create function private.readable_tenant_ids()
returns setof integer
language sql
stable
security definer
set search_path = ''
rows 10
as $$
  select tenants.id from public.tenants where private.is_trusted()
  union all
  select mine.id from private.tenant_ids_for('viewer') as mine (id) where not private.is_trusted();
$$;
comment on function private.readable_tenant_ids() is
  'For functions that check the scope once: the tenants of the person, or all for the secret key and the owner.';

create function public.get_latest_flow_data()
returns table (
  device_id integer, device_key text, device_name text, tenant_id integer, site_id integer, status text,
  recorded_at timestamptz, flow_rate_lpm double precision, cumulative_volume_l double precision,
  pressure_bar real, temperature_c real, battery_v real, quality smallint
)
language sql
stable
security definer
set search_path = ''
as $$
  select device.id, device.device_key, device.name, device.tenant_id, device.site_id, state.status, newest.*
  from public.devices as device
  join public.device_state as state on state.device_id = device.id
  cross join lateral jsonb_to_record(state.latest -> 'telemetry_flow') as newest (
    recorded_at timestamptz, flow_rate_lpm double precision, cumulative_volume_l double precision,
    pressure_bar real, temperature_c real, battery_v real, quality smallint
  )
  where device.tenant_id = any (array(select private.readable_tenant_ids())) and state.latest ? 'telemetry_flow'
  order by device.id;
$$;
comment on function public.get_latest_flow_data() is 'The newest row of every device that has measured flow.';

create function private.flow_from_rows(device_id integer, start_time timestamptz, end_time timestamptz)
returns table (
  readings bigint, flow_rate_lpm_mean double precision, flow_rate_lpm_min double precision,
  flow_rate_lpm_max double precision, total_volume_l double precision, peak_at timestamptz
)
language sql
stable
set search_path = ''
as $$
  select count(*), avg(flow_rate_lpm), min(flow_rate_lpm), max(flow_rate_lpm),
    -- A counter that falls has begun again at nothing.
    sum(case when volume_l >= volume_before_l then volume_l - volume_before_l else volume_l end),
    (array_agg(recorded_at order by flow_rate_lpm desc nulls last, recorded_at))[1]
  from (
    select flow.recorded_at, flow.flow_rate_lpm, flow.cumulative_volume_l as volume_l,
      lag(flow.cumulative_volume_l, 1, flow.cumulative_volume_l) over (
        partition by flow.cumulative_volume_l is null order by flow.recorded_at, flow.epoch, flow.seq
      ) as volume_before_l
    from public.telemetry_flow as flow
    where flow.device_id = flow_from_rows.device_id
      and flow.recorded_at >= start_time and flow.recorded_at < end_time
  ) as walked;
$$;
comment on function private.flow_from_rows(integer, timestamptz, timestamptz) is 'Exact, from every row.';

create function private.flow_from_hours(device_id integer, start_time timestamptz, end_time timestamptz)
returns table (
  readings bigint, flow_rate_lpm_mean double precision, flow_rate_lpm_min double precision,
  flow_rate_lpm_max double precision, total_volume_l double precision, peak_at timestamptz
)
language sql
stable
set search_path = ''
as $$
  select sum(readings)::bigint,
    -- Next to nothing divided is an error (underflow).
    case
      when abs(sum(flow_rate_lpm_mean * flow_rate_lpm_count)) > 1e-300
        then sum(flow_rate_lpm_mean * flow_rate_lpm_count) / sum(flow_rate_lpm_count)
      when sum(flow_rate_lpm_count) > 0 then 0
    end,
    min(flow_rate_lpm_min), max(flow_rate_lpm_max),
    sum(case
      when high_before_l is null then high_l - low_l
      when high_l >= high_before_l then high_l - high_before_l
      else high_l
    end),
    (array_agg(bucket_at order by flow_rate_lpm_max desc nulls last, bucket_at))[1]
  from (
    select flow.*, flow.cumulative_volume_l_min as low_l, flow.cumulative_volume_l_max as high_l,
      lag(flow.cumulative_volume_l_max) over (
        partition by flow.cumulative_volume_l_max is null order by flow.bucket_at
      ) as high_before_l
    from public.telemetry_flow_hourly as flow
    where flow.device_id = flow_from_hours.device_id
      and flow.bucket_at >= start_time and flow.bucket_at < end_time
  ) as walked;
$$;
comment on function private.flow_from_hours(integer, timestamptz, timestamptz) is
  'From hours: those that begin in the time asked for. What flowed while a counter began again may be missing.';

create function public.get_flow_statistics(device_id integer, start_time timestamptz, end_time timestamptz)
returns table (
  readings bigint, flow_rate_lpm_mean double precision, flow_rate_lpm_min double precision,
  flow_rate_lpm_max double precision, total_volume_l double precision, peak_at timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not private.may_read_device(get_flow_statistics.device_id) then
    raise exception 'there is no device % that you may read', get_flow_statistics.device_id
      using errcode = 'insufficient_privilege';
  end if;
  if not coalesce(start_time < end_time, false) then
    raise exception 'start_time % is not before end_time %', start_time, end_time using errcode = 'invalid_parameter_value';
  end if;
  -- A month of a reading every minute is still quick.
  if end_time - start_time <= interval '31 days' and start_time >= (
    select planned.raw_kept_from from private.rollups as planned where planned.table_name = 'telemetry_flow'
  ) then
    return query select * from private.flow_from_rows(device_id, start_time, end_time);
  else
    return query select * from private.flow_from_hours(device_id, start_time, end_time);
  end if;
end
$$;
comment on function public.get_flow_statistics(integer, timestamptz, timestamptz) is
  'Rate and volume of a flow meter from start_time up to end_time: from rows up to 31 days, from whole hours beyond.';

revoke execute on function
  private.readable_tenant_ids(), private.flow_from_rows(integer, timestamptz, timestamptz),
  private.flow_from_hours(integer, timestamptz, timestamptz),
  public.get_latest_flow_data(), public.get_flow_statistics(integer, timestamptz, timestamptz)
  from public, anon;
grant execute on function
  public.get_latest_flow_data(), public.get_flow_statistics(integer, timestamptz, timestamptz)
  to authenticated, service_role;
