-- Charts: a few hundred points, whatever the range, from the coarsest table that has enough of them.

create function private.table_of_metric(device_id integer, metric text, table_name text)
returns private.rollups
language plpgsql
stable
set search_path = ''
as $$
declare
  found_in private.rollups;
begin
  select made.* into found_in
  from private.rollups as made
  join public.devices as device on device.id = table_of_metric.device_id
  left join public.device_state as state on state.device_id = device.id
  where made.fine_table is not null
    and made.table_name = coalesce(table_of_metric.table_name, made.table_name)
    -- A metric is what is rolled up. Asked so, it is one look into an index of the catalog.
    and exists (
      select from pg_catalog.pg_attribute as rolled_up
      where rolled_up.attrelid = to_regclass(format('public.%I', made.daily_table))
        and rolled_up.attname = (table_of_metric.metric || '_count')::name and not rolled_up.attisdropped
    )
  order by
    -- What the device is for, else what it has sent, else any.
    made.table_name <> 'telemetry_' || device.kind, not coalesce(state.latest ? made.table_name, false), made.table_name
  limit 1;
  if found_in.table_name is null then
    raise exception 'there is no metric "%" of device %', metric, device_id
      using errcode = 'undefined_column', hint = 'Metrics are the columns of the telemetry tables and device_heartbeats.';
  end if;
  return found_in;
end
$$;
comment on function private.table_of_metric(integer, text, text) is
  'Where the readings of a metric of a device are: in the table given, else in that of its kind, else where it sends to.';

create function private.chart_source(planned private.rollups, from_time timestamptz, wanted_width interval)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    -- Half as many points as asked for is still a chart; twenty times as many rows would be slow.
    when wanted_width >= interval '12 hours' or from_time < planned.fine_kept_from then 'daily'
    when wanted_width >= planned.fine_width / 2 or from_time < planned.raw_kept_from then 'fine'
    else 'raw'
  end;
$$;
comment on function private.chart_source(private.rollups, timestamptz, interval) is
  'The coarsest of raw, fine and daily with enough points; coarser where the finer ones are gone.';

create function private.chart_pieces(source text, planned private.rollups, metric text)
returns text
language sql
stable
set search_path = ''
as $$
  -- $1 device, $2 and $3 first and last instant, $4 hours that are not rolled up yet: of those the rows themselves.
  select case source
    when 'raw' then format(
      'select recorded_at as at, %1$I::double precision as mean, %1$I::double precision as low,
         %1$I::double precision as high, 1 as amount
       from public.%2$I where device_id = $1 and recorded_at >= $2 and recorded_at < $3 and %1$I is not null',
      metric, planned.table_name
    )
    else format(
      'select bucket_at as at, %1$I as mean, %2$I::double precision as low, %3$I::double precision as high,
         %4$I as amount
       from public.%5$I where device_id = $1 and bucket_at >= $2 and bucket_at < $3 and %4$I > 0
         and date_bin(%6$L, bucket_at, ''epoch'') <> all ($5)
       union all
       select bucket_at, %1$I, %2$I::double precision, %3$I::double precision, %4$I
       from public.%7$I where %8$L and device_id = $1 and bucket_at >= $2 and bucket_at < $3 and %4$I > 0
         and date_bin(''1 day'', bucket_at, ''epoch'') = any ($5) and date_bin(''1 hour'', bucket_at, ''epoch'') <> all ($4)
       union all
       select recorded_at, %9$I::double precision, %9$I::double precision, %9$I::double precision, 1
       from unnest($4) as hour_at
       join public.%10$I on device_id = $1 and recorded_at >= hour_at and recorded_at < hour_at + interval ''1 hour''
       where %9$I is not null',
      metric || '_mean', metric || '_min', metric || '_max', metric || '_count',
      case source when 'daily' then planned.daily_table else planned.fine_table end,
      case source when 'daily' then '1 day' else '1 hour' end,
      planned.fine_table, source = 'daily', metric, planned.table_name
    )
  end;
$$;
comment on function private.chart_pieces(text, private.rollups, text) is
  'The query for what a chart is put together from: buckets that are up to date, and the rows of those that are not.';

create function public.telemetry_chart(
  device_id integer, metric text, from_time timestamptz, to_time timestamptz,
  points integer default 300, table_name text default null
)
returns table (
  bucket_at timestamptz, mean double precision, min double precision, max double precision, readings bigint
)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  planned private.rollups;
  source text;
  unit interval;
  width interval;
  first_at timestamptz;
  dirty_hours timestamptz[];
begin
  if not private.may_read_device(telemetry_chart.device_id) then
    raise exception 'there is no device % that you may read', telemetry_chart.device_id
      using errcode = 'insufficient_privilege';
  end if;
  -- PostgREST answers with at most a thousand rows, and whole buckets may be one more than asked for.
  if not coalesce(points between 1 and 999 and from_time < to_time and to_time - from_time < interval '40 years', false) then
    raise exception '% points from % to % make no chart', points, from_time, to_time
      using errcode = 'invalid_parameter_value', hint = '1 to 999 points, and from_time before to_time.';
  end if;
  planned := private.table_of_metric(telemetry_chart.device_id, metric, telemetry_chart.table_name);
  width := make_interval(secs => extract(epoch from to_time - from_time) / points);
  source := private.chart_source(planned, from_time, width);
  unit := case source when 'daily' then interval '24 hours' when 'fine' then planned.fine_width else interval '1 second' end;
  width := unit * greatest(1, ceil(extract(epoch from width) / extract(epoch from unit)));
  first_at := date_bin(width, from_time, 'epoch');

  select coalesce(array_agg(distinct date_bin('1 hour', waiting.from_at, 'epoch')), '{}') into dirty_hours
  from private.dirty_ranges as waiting
  where waiting.device_id = telemetry_chart.device_id and waiting.table_name = planned.table_name
    and waiting.to_at >= first_at and waiting.from_at < to_time + width and waiting.from_at >= planned.raw_kept_from;

  return query execute format(
    'with pieces as materialized (select date_bin($6, at, ''epoch'') as bucket_at, * from (%s) as piece),
     merged as (
       select bucket_at,
         -- Next to nothing divided is an error (underflow).
         case when abs(sum(mean * amount)) > 1e-300 then sum(mean * amount) / sum(amount) else 0 end as mean,
         min(low) as low, max(high) as high, sum(amount)::bigint as amount
       from pieces group by bucket_at
     )
     select bucket_at, merged.mean, merged.low, merged.high, coalesce(merged.amount, 0)
     from generate_series($2, $3 - interval ''1 microsecond'', $6) as bucket_at
     left join merged using (bucket_at)
     order by bucket_at',
    private.chart_pieces(source, planned, metric)
  ) using telemetry_chart.device_id, first_at, date_bin(width, to_time - interval '1 microsecond', 'epoch') + width,
    dirty_hours,
    (select coalesce(array_agg(distinct case source
      when 'daily' then date_bin('1 day', hour_at, 'epoch') else hour_at end), '{}') from unnest(dirty_hours) as hour_at),
    width;
end
$$;
comment on function public.telemetry_chart(integer, text, timestamptz, timestamptz, integer, text) is
  'A metric of a device in equal buckets, about as many as points, empty ones included. Buckets are whole: the first may begin before from_time. table_name: where a metric is in several tables.';

revoke execute on function
  private.table_of_metric(integer, text, text),
  private.chart_source(private.rollups, timestamptz, interval), private.chart_pieces(text, private.rollups, text),
  public.telemetry_chart(integer, text, timestamptz, timestamptz, integer, text)
  from public, anon;
grant execute on function public.telemetry_chart(integer, text, timestamptz, timestamptz, integer, text)
  to authenticated, service_role;
