-- What gateways may write: times in any usual way, and fields that become metrics.

create function private.instant_of(given jsonb, otherwise timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  said text := given #>> '{}';
begin
  if given is null then
    return otherwise;
  end if;
  -- As milliseconds, 10^11 is of 1973; as seconds, of the year 5138.
  if said ~ '^[0-9]{1,13}([.][0-9]{1,9})?$' then
    return to_timestamp(said::double precision / case when said::double precision < 1e11 then 1 else 1000 end);
  end if;
  -- Not all that Postgres reads as a time: "now" and "infinity" are texts to everybody else.
  if said ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$' then
    return (said || case when said ~ '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$' then '' else 'Z' end)::timestamptz;
  end if;
  return null;
exception
  when data_exception then
    return null;
end
$$;
comment on function private.instant_of(jsonb, timestamptz) is
  'The time a JSON value names: ISO 8601, UTC where it names no zone, or Unix seconds or milliseconds. Null when it names none.';

create function private.metric_columns()
returns table (kind text, metric_name text, is_whole boolean, greatest_value numeric)
language sql
stable
set search_path = ''
as $$
  select
    substr(tables.relname, 11), columns.attname::text, format_type(columns.atttypid, null) ~ 'int',
    case format_type(columns.atttypid, null)
      when 'smallint' then 32767 when 'integer' then 2147483647 when 'bigint' then 9e18 when 'real' then 3.4e38 else 1e300
    end
  from pg_catalog.pg_class as tables
  join pg_catalog.pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0
  where tables.relnamespace = 'public'::regnamespace and tables.relname ~ '^telemetry_[a-z]+$'
    and not columns.attisdropped
    and format_type(columns.atttypid, null) in ('smallint', 'integer', 'bigint', 'real', 'double precision')
    and columns.attname not in ('device_id', 'epoch', 'seq', 'quality', 'time_quality');
$$;
comment on function private.metric_columns() is
  'The metrics of each kind, as the telemetry tables have them, and what their type can hold.';

create function private.read_fields(readings jsonb)
returns table (index integer, metrics jsonb, reason text)
language sql
stable
set search_path = ''
as $$
  -- Once, and not for every field: it reads the catalogue.
  with known as materialized (
    select * from private.metric_columns()
  ),
  named as (
    select
      reading.index, reading.kind, left(field.key, 64) as field_name,
      jsonb_typeof(field.value) = 'number' as is_number, field.value #>> '{}' as said,
      mapping.scale, mapping.offset_value,
      case when mapping.id is null then field.key else mapping.metric_name end as metric_name
    from jsonb_to_recordset(readings) as reading (index integer, device_id integer, kind text, fields jsonb)
    cross join lateral jsonb_each(reading.fields) as field
    left join public.field_mappings as mapping
      on mapping.device_id = reading.device_id and mapping.external_name = field.key
    where mapping.id is null or mapping.metric_name is not null
  ),
  valued as (
    select
      named.*, known.is_whole, known.greatest_value,
      count(*) over (partition by named.index, named.metric_name) as sources,
      case
        -- Beyond what a double can say, so that scaling stays within what a numeric can.
        when named.is_number and abs(named.said::numeric) <= 1e308
          then named.said::numeric * coalesce(named.scale::numeric, 1) + coalesce(named.offset_value::numeric, 0)
      end as number
    from named
    left join known on known.kind = named.kind and known.metric_name = named.metric_name
  ),
  judged as (
    select
      valued.*,
      -- No metric knows what is smaller, and a real would refuse it.
      case when abs(number) < 1e-37 then 0 else number end as rounded,
      case
        when greatest_value is null then format('unknown metric "%s" for the kind %s', field_name, valued.kind)
        when not is_number then format('%s: expected a number', field_name)
        when number is null or abs(number) > greatest_value then format('%s: out of range', field_name)
        when sources > 1 then format('%s: given twice', metric_name)
      end as problem
    from valued
  )
  select
    judged.index,
    jsonb_object_agg(metric_name, case when is_whole then round(number) else rounded end) filter (where problem is null),
    min(problem)
  from judged
  group by judged.index;
$$;
comment on function private.read_fields(jsonb) is
  'Turns the fields of readings into metrics, by their own names or by field_mappings, or says what is wrong with them. readings: {index, device_id, kind, fields}. Those without a metric are left out.';

revoke execute on function
  private.instant_of(jsonb, timestamptz), private.metric_columns(), private.read_fields(jsonb)
  from public, anon, authenticated;
