-- The jobs in the hands of pg_cron, where it is.

create function private.schedule_jobs()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  job private.jobs;
  scheduled integer := 0;
begin
  if to_regclass('cron.job') is null then
    return 0;
  end if;
  for job in select * from private.jobs order by position, name loop
    if job.is_enabled then
      execute 'select cron.schedule($1, $2, $3)'
      using 'penstock_' || job.name, job.schedule, format('select private.run_job(%L)', job.name);
      scheduled := scheduled + 1;
    else
      execute 'select cron.unschedule(jobid) from cron.job where jobname = $1' using 'penstock_' || job.name;
    end if;
  end loop;
  return scheduled;
end
$$;
comment on function private.schedule_jobs() is
  'Hands the jobs to pg_cron and returns how many; none where it is not there. Safe to repeat, and to be repeated after a change of the jobs.';
revoke execute on function private.schedule_jobs() from public;

-- Only one database of a server can have it, and only when the server has loaded it at its start.
do $$
begin
  if exists (select from pg_catalog.pg_available_extensions where name = 'pg_cron')
    and current_setting('cron.database_name', true) = current_database() then
    create extension if not exists pg_cron;
  end if;
exception
  when others then
    raise notice 'pg_cron cannot be created: %. Something else has to call run_jobs.', sqlerrm;
end
$$;
select private.schedule_jobs();
