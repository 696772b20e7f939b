-- What these tests look at and change, and what nobody reaches over REST in the project. Applied after every migration.
create view public.jobs_for_tests as select * from private.jobs;
create view public.archives_for_tests as select * from private.archives;
create view public.audit_forwards_for_tests as select * from private.audit_forwards;
grant select, insert, update, delete
  on public.jobs_for_tests, public.archives_for_tests, public.audit_forwards_for_tests to service_role;

create function public.let_one_week_be_old()
returns timestamptz
language plpgsql
security definer
set search_path = ''
as $$
declare
  oldest record;
begin
  select * into oldest from private.partitions_of('telemetry_tank') limit 1;
  update private.partitioned_tables set keep_days = extract(day from now() - oldest.to_at)
  where table_name = 'telemetry_tank';
  insert into private.archived_tables (table_name) values ('telemetry_tank') on conflict do nothing;
  delete from private.archives;
  delete from public.telemetry_tank;
  return oldest.from_at;
end
$$;
comment on function public.let_one_week_be_old() is
  'Empties telemetry_tank and has its oldest week alone wait for the archive. Returns when that begins.';
grant execute on function public.let_one_week_be_old() to service_role;
