create function private.watched_metrics(table_name text, device_ids integer[])
returns setof text
language sql
stable
set search_path = ''
as $$ select null::text where false $$;
comment on function private.watched_metrics(text, integer[]) is 'The columns of a table that some rule of these devices judges.';

create function private.judge_readings(
  table_name text, metric text, device_id integer, times timestamptz[], readings double precision[]
)
returns void
language sql
set search_path = ''
as $$ select $$;
comment on function private.judge_readings(text, text, integer, timestamptz[], double precision[]) is
  'Holds the new readings of one device and metric, in rising order of time, against the rules.';

create function private.note_return(device_ids integer[])
returns void
language sql
set search_path = ''
as $$ select $$;
comment on function private.note_return(integer[]) is 'Closes downtime and offline alerts of those that are heard again.';
revoke execute on function private.watched_metrics(text, integer[]), private.note_return(integer[]),
  private.judge_readings(text, text, integer, timestamptz[], double precision[]) from public;
