-- What gateways send, reading by reading: a bad one is named and never costs the others.

create function private.insert_readings(kind text, readings jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Numbers are given together with the rows: an insert that fails gives them back.
  insert into private.gateway_sequences as sequence (device_id, next_seq)
  select reading.device_id, 1 + count(*)
  from jsonb_to_recordset(readings) as reading (device_id integer)
  group by reading.device_id
  order by reading.device_id
  on conflict (device_id) do update set next_seq = sequence.next_seq + excluded.next_seq - 1;

  execute format(
    'insert into public.%1$I
     select stored.*
     from (
       select reading.device_id, reading.recorded_at, reading.metrics || jsonb_build_object(
         ''device_id'', reading.device_id, ''epoch'', 0, ''recorded_at'', reading.recorded_at,
         ''seq'', sequence.next_seq
           - row_number() over (partition by reading.device_id order by reading.recorded_at desc),
         ''quality'', 0, ''time_quality'', reading.time_quality, ''received_at'', now()
       ) as content
       from jsonb_to_recordset($1) as reading (
         device_id integer, recorded_at timestamptz, time_quality smallint, metrics jsonb
       )
       join private.gateway_sequences as sequence on sequence.device_id = reading.device_id
     ) as numbered
     cross join lateral jsonb_populate_record(null::public.%1$I, numbered.content) as stored
     order by numbered.device_id, numbered.recorded_at',
    'telemetry_' || kind
  ) using readings;
end
$$;
comment on function private.insert_readings(text, jsonb) is
  'Stores readings of one kind, numbered in epoch 0. All or none.';

create function private.hold_to_checks(kind text, readings jsonb, out kept jsonb, out rejected jsonb)
language plpgsql
stable
set search_path = ''
as $$
declare
  problems text := (
    select string_agg(
      format(
        'case when not (%s) then %L end',
        pg_get_expr(rule.conbin, rule.conrelid), columns.attname || ': out of range'
      ),
      ', ' order by columns.attnum
    )
    from pg_catalog.pg_constraint as rule
    join pg_catalog.pg_attribute as columns on columns.attrelid = rule.conrelid and columns.attnum = rule.conkey[1]
    where rule.conrelid = format('public.%I', 'telemetry_' || kind)::regclass and rule.contype = 'c'
  );
begin
  execute format(
    'select
       coalesce(jsonb_agg(held.reading order by held.place) filter (where held.problem is null), ''[]''),
       coalesce(
         jsonb_agg(
           jsonb_build_object(''index'', held.reading -> ''index'', ''reason'', held.problem) order by held.place
         ) filter (where held.problem is not null),
         ''[]''
       )
     from (
       select given.reading, given.place, coalesce(%s) as problem
       from jsonb_array_elements($1) with ordinality as given (reading, place)
       cross join lateral jsonb_populate_record(null::public.%I, given.reading -> ''metrics'') as stored
     ) as held',
    problems, 'telemetry_' || kind
  ) into kept, rejected using readings;
exception
  when data_exception then
    kept := readings;
    rejected := '[]';
end
$$;
comment on function private.hold_to_checks(text, jsonb) is
  'Tells readings that the table would refuse by one of its checks from the others, in one pass.';

create function private.store_readings(kind text, readings jsonb, out accepted integer, out rejected jsonb)
language plpgsql
set search_path = ''
as $$
declare
  size constant integer := jsonb_array_length(readings);
  half record;
  checked record;
  stored record;
  broken text;
  reason text;
begin
  accepted := size;
  rejected := '[]';
  if size = 0 then
    return;
  end if;
  begin
    perform private.insert_readings(kind, readings);
    return;
  exception
    when data_exception or integrity_constraint_violation then
      get stacked diagnostics broken = constraint_name, reason = message_text;
  end;
  if size = 1 then
    accepted := 0;
    -- The constraint stands on the partition under the name it has on the table.
    reason := coalesce(
      (
        select format('%s: out of range', columns.attname)
        from pg_catalog.pg_constraint as rule
        join pg_catalog.pg_attribute as columns on columns.attrelid = rule.conrelid and columns.attnum = rule.conkey[1]
        where rule.conrelid = format('public.%I', 'telemetry_' || kind)::regclass and rule.conname = broken
      ),
      reason
    );
    rejected := jsonb_build_array(jsonb_build_object('index', readings -> 0 -> 'index', 'reason', reason));
    return;
  end if;
  -- A gateway whose readings are all out of range would otherwise keep the database busy for ten seconds a request.
  select * into checked from private.hold_to_checks(kind, readings);
  if checked.rejected <> '[]' then
    select * into stored from private.store_readings(kind, checked.kept);
    accepted := stored.accepted;
    rejected := checked.rejected || stored.rejected;
    return;
  end if;
  -- Halves, because each statement judges alerts and tells subscribers: one bad row in a thousand costs twenty of them.
  accepted := 0;
  for half in
    select jsonb_agg(part.reading order by part.place) as readings
    from jsonb_array_elements(store_readings.readings) with ordinality as part (reading, place)
    group by part.place > size / 2
    order by part.place > size / 2
  loop
    select * into stored from private.store_readings(kind, half.readings);
    accepted := accepted + stored.accepted;
    rejected := rejected || stored.rejected;
  end loop;
end
$$;
comment on function private.store_readings(text, jsonb) is
  'Stores readings of one kind, in the order of device and time, and names those that the table refuses.';

create function private.skip_stored(kind text, readings jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  fresh jsonb;
begin
  execute format(
    'select coalesce(jsonb_agg(first.reading order by first.device_id, first.recorded_at), ''[]'')
     from (
       select distinct on (key.device_id, key.recorded_at) key.device_id, key.recorded_at, given.reading
       from jsonb_array_elements($1) with ordinality as given (reading, place)
       cross join lateral jsonb_to_record(given.reading) as key (device_id integer, recorded_at timestamptz)
       order by key.device_id, key.recorded_at, given.place
     ) as first
     where not exists (
       select from public.%I as stored
       where stored.device_id = first.device_id and stored.recorded_at = first.recorded_at
     )',
    'telemetry_' || kind
  ) into fresh using readings;
  return fresh;
end
$$;
comment on function private.skip_stored(text, jsonb) is
  'The readings whose device has no row of that time yet, the first of each, in the order in which they are stored.';

create function private.read_readings(gateway_id integer, arrived_at timestamptz, readings jsonb)
returns table (index integer, kind text, reading jsonb, reason text)
language sql
stable
set search_path = ''
as $$
  with mine as materialized (
    select
      device.id, device.id::text as id_text, device.device_key, device.kind,
      to_regclass('public.telemetry_' || device.kind) is not null as is_measuring
    from public.devices as device
    where (device.id = gateway_id or device.hub_id = gateway_id) and private.is_in_service(device.id)
  ),
  given as (
    select
      (element.place - 1)::integer as index,
      jsonb_typeof(element.value) = 'object' as is_object,
      case when jsonb_typeof(element.value) = 'object' then jsonb_strip_nulls(element.value) else '{}' end as content
    from jsonb_array_elements(readings) with ordinality as element (value, place)
  ),
  timed as materialized (
    select
      given.*, device.id as device_id, device.kind, device.is_measuring,
      coalesce(given.content -> 'recorded_at', given.content -> 'timestamp') is null as is_timeless,
      private.instant_of(
        coalesce(given.content -> 'recorded_at', given.content -> 'timestamp'),
        -- Apart by a microsecond, or the second reading without a time would pass for a copy of the first.
        arrived_at + given.index * interval '1 microsecond'
      ) as recorded_at
    from given
    left join mine as device
      on device.id_text = coalesce(
        given.content ->> 'device_id',
        -- Without a name the gateway speaks of itself.
        case when given.content ? 'device_key' then device.id_text else gateway_id::text end
      )
      and device.device_key = coalesce(given.content ->> 'device_key', device.device_key)
  ),
  fields as (
    select found.*
    from (
      select jsonb_agg(jsonb_build_object(
        'index', timed.index, 'device_id', timed.device_id, 'kind', timed.kind,
        'fields', timed.content - array['device_id', 'device_key', 'recorded_at', 'timestamp']
      )) as readings
      from timed
      where timed.device_id is not null
    ) as whole
    cross join lateral private.read_fields(whole.readings) as found
  )
  select
    timed.index, timed.kind,
    jsonb_build_object(
      'index', timed.index, 'device_id', timed.device_id, 'recorded_at', timed.recorded_at,
      -- Estimated, where the cloud had to take the time of arrival.
      'time_quality', case when timed.is_timeless then 2 else 0 end, 'metrics', fields.metrics
    ),
    case
      when not timed.is_object then 'expected an object'
      -- One answer for those of others and those that do not exist.
      when timed.device_id is null then 'unknown device, or not behind this gateway'
      when not timed.is_measuring then format('a device of the kind %s has no telemetry', timed.kind)
      when timed.recorded_at is null then 'timestamp: expected ISO 8601 or Unix time'
      when timed.recorded_at > now() + interval '1 minute' then 'timestamp: in the future'
      when timed.recorded_at < now() - interval '90 days' then 'timestamp: older than 90 days'
      when fields.index is null then 'no metric in it'
      else fields.reason
    end
  from timed
  left join fields on fields.index = timed.index;
$$;
comment on function private.read_readings(integer, timestamptz, jsonb) is
  'What a gateway may have stored, in the form of store_readings, with the reason where it may not.';

create function public.ingest_readings(key_hash text, readings jsonb)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  admitted record;
  batch record;
  stored record;
  fresh jsonb;
  accepted integer := 0;
  duplicate integer := 0;
  rejected jsonb := '[]';
begin
  select * into admitted from private.admit_gateway(key_hash);
  if admitted.verdict <> 'granted' then
    return jsonb_build_object('verdict', admitted.verdict);
  end if;
  -- The turn that uploads of hubs take: batches about the same devices come one after the other.
  perform pg_advisory_xact_lock(1883, coalesce(gateway.hub_id, gateway.id))
  from public.devices as gateway where gateway.id = admitted.gateway_id;

  for batch in
    select
      case when found.reason is null then found.kind end as kind,
      jsonb_agg(found.reading) filter (where found.reason is null) as readings,
      jsonb_agg(jsonb_build_object('index', found.index, 'reason', found.reason)) as refused
    from private.read_readings(admitted.gateway_id, clock_timestamp(), readings) as found
    group by 1
    order by 1
  loop
    if batch.kind is null then
      rejected := rejected || batch.refused;
      continue;
    end if;
    fresh := private.skip_stored(batch.kind, batch.readings);
    duplicate := duplicate + jsonb_array_length(batch.readings) - jsonb_array_length(fresh);
    select * into stored from private.store_readings(batch.kind, fresh);
    accepted := accepted + stored.accepted;
    rejected := rejected || stored.rejected;
  end loop;
  return jsonb_build_object(
    'verdict', 'granted', 'accepted', accepted, 'duplicate', duplicate,
    'rejected', (
      select coalesce(jsonb_agg(entry.value order by (entry.value ->> 'index')::integer), '[]')
      from jsonb_array_elements(rejected) as entry
    )
  );
end
$$;
comment on function public.ingest_readings(text, jsonb) is
  'Stores what a gateway sent: {verdict, accepted, duplicate, rejected: [{index, reason}]}. verdict: granted, refused or limited, and then nothing else. key_hash: SHA-256 of the key in hex. readings: an array.';

revoke execute on function
  private.insert_readings(text, jsonb), private.hold_to_checks(text, jsonb),
  private.store_readings(text, jsonb), private.skip_stored(text, jsonb),
  private.read_readings(integer, timestamptz, jsonb), public.ingest_readings(text, jsonb)
  from public, anon, authenticated;
grant execute on function public.ingest_readings(text, jsonb) to service_role;
