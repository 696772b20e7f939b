-- The queues that the functions empty, as small as they can be, in place of those of the project: what is tested here
-- is the functions. Applied after every migration.
drop function if exists public.claim_notifications(integer);
drop function if exists public.settle_notification(bigint, boolean, text);
drop function if exists public.claim_audit_entries(integer);
drop function if exists public.settle_audit_entries(bigint[], boolean);
drop function if exists public.run_jobs();
drop function if exists public.claim_archive();
drop function if exists public.read_archive(bigint, bigint, integer);
drop function if exists public.finish_archive(bigint, text, bigint, bigint, text);

create table public.stand_in_notifications (
  notification_id bigint generated always as identity primary key,
  channel_type text, address text, severity text default 'critical', title text default 'Tank north: low',
  body text default 'water_level_cm is 12', payload jsonb default '{"device_id": 7}', attempts integer default 0,
  is_leased boolean default false, is_sent boolean, error text
);
create table public.stand_in_audit (id bigint generated always as identity primary key, actor text, is_leased boolean, is_sent boolean);
create table public.stand_in_jobs (job text, is_run boolean, detail text, error text);
create table public.stand_in_archives (
  archive_id bigint generated always as identity primary key, rows_to_read integer, object_path text,
  rows bigint, bytes bigint, sha256 text
);
grant select, insert, update, delete on
  public.stand_in_notifications, public.stand_in_audit, public.stand_in_jobs, public.stand_in_archives
  to service_role;

create function public.claim_notifications(batch_size integer)
returns table (
  notification_id bigint, channel_type text, address text, severity text, title text, body text, payload jsonb,
  attempts integer
)
language sql
as $$
  update public.stand_in_notifications as n set is_leased = true
  where n.notification_id in (
    select w.notification_id from public.stand_in_notifications as w where not w.is_leased
    order by 1 limit batch_size for update skip locked
  )
  returning n.notification_id, n.channel_type, n.address, n.severity, n.title, n.body, n.payload, n.attempts;
$$;
create function public.settle_notification(notification_id bigint, is_sent boolean, error text)
returns void
language sql
as $$
  update public.stand_in_notifications as n set is_sent = settle_notification.is_sent, error = settle_notification.error
  where n.notification_id = settle_notification.notification_id;
$$;
create function public.claim_audit_entries(batch_size integer)
returns setof public.stand_in_audit
language sql
as $$
  update public.stand_in_audit as a set is_leased = true
  where a.id in (select w.id from public.stand_in_audit as w where w.is_leased is null order by 1 limit batch_size)
  returning a.*;
$$;
create function public.settle_audit_entries(ids bigint[], is_sent boolean)
returns void
language sql
as $$
  update public.stand_in_audit as a
  set is_sent = settle_audit_entries.is_sent, is_leased = nullif(settle_audit_entries.is_sent, false)
  where a.id = any (ids);
$$;
create function public.run_jobs()
returns table (job text, is_run boolean, detail text, error text)
language sql
as $$ select * from public.stand_in_jobs $$;
create function public.claim_archive()
returns table (archive_id bigint, table_name text, from_at timestamptz, to_at timestamptz)
language sql
as $$
  select a.archive_id, 'telemetry_tank', '2026-01-05T00:00:00Z'::timestamptz, '2026-01-12T00:00:00Z'::timestamptz
  from public.stand_in_archives as a where a.object_path is null order by 1 limit 1;
$$;
create function public.read_archive(archive_id bigint, after_row bigint, batch_size integer)
returns table (row_number bigint, line jsonb)
language sql
as $$
  select n, jsonb_build_object('device_id', 7, 'epoch', 0, 'seq', n, 'water_level_cm', n % 100, 'note', 'é',
    -- Reading an archive of 1313 rows fails on its second page.
    'ratio', n / case when n = 1313 then a.rows_to_read - 1313 else 1 end)
  from public.stand_in_archives as a
  cross join lateral generate_series(after_row + 1, least(a.rows_to_read, after_row + batch_size)) as n
  where a.archive_id = read_archive.archive_id order by n;
$$;
create function public.finish_archive(archive_id bigint, object_path text, rows bigint, bytes bigint, sha256 text)
returns void
language sql
as $$
  update public.stand_in_archives as a set
    object_path = finish_archive.object_path, rows = finish_archive.rows, bytes = finish_archive.bytes,
    sha256 = finish_archive.sha256
  where a.archive_id = finish_archive.archive_id;
$$;
grant execute on function
  public.claim_notifications(integer), public.settle_notification(bigint, boolean, text),
  public.claim_audit_entries(integer), public.settle_audit_entries(bigint[], boolean), public.run_jobs(),
  public.claim_archive(), public.read_archive(bigint, bigint, integer),
  public.finish_archive(bigint, text, bigint, bigint, text)
  to service_role;
