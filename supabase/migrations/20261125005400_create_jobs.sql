-- What has to be done again and again. pg_cron does it where it is there; everywhere else somebody calls run_jobs.

create table private.jobs (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  -- A function that needs no arguments, with its schema. What does not exist is passed over.
  function_name text not null,
  period_s integer not null check (period_s >= 60),
  -- The same in the words of cron, in UTC.
  schedule text not null,
  -- What holds locks on whole tables comes last, so that the others do not hold them too.
  position smallint not null,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  last_started_at timestamptz,
  last_finished_at timestamptz,
  last_duration_ms double precision,
  last_result text,
  last_error text,
  failures_in_a_row integer not null default 0,
  stale_since timestamptz
);
comment on table private.jobs is 'What runs periodically, and how it went.';
comment on column private.jobs.position is 'Order within one call of run_jobs.';
comment on column private.jobs.last_finished_at is 'Last success.';
comment on column private.jobs.last_error is 'Why the last run failed; none when it did not.';
comment on column private.jobs.stale_since is 'When note_stale_jobs first found that it does not do its work.';
alter table private.jobs enable row level security;
create policy "Nobody reads jobs" on private.jobs for select to device using (false);

insert into private.jobs (name, function_name, period_s, schedule, position) values
  ('find_silent', 'private.find_silent', 60, '* * * * *', 1),
  ('expire_commands', 'private.expire_commands', 60, '* * * * *', 2),
  ('roll_up', 'private.roll_up_backlog', 60, '* * * * *', 3),
  ('refresh_device_stats', 'private.refresh_device_stats', 300, '*/5 * * * *', 4),
  ('note_stale_jobs', 'private.note_stale_jobs', 300, '*/5 * * * *', 5),
  ('prune', 'private.prune', 3600, '23 * * * *', 6),
  ('make_partitions', 'private.make_partitions', 86400, '41 1 * * *', 7),
  ('apply_retention', 'private.apply_retention', 600, '*/10 * * * *', 8);

create function private.run_job(name text)
returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  job private.jobs;
  started_at timestamptz := clock_timestamp();
  result text;
begin
  select * into job from private.jobs where jobs.name = run_job.name;
  if not found then
    raise exception 'there is no job "%"', name using errcode = 'no_data_found';
  end if;
  -- Two schedulers may find it due at the same moment.
  if not job.is_enabled or not pg_try_advisory_xact_lock(18831, hashtext(job.name)) then
    return null;
  end if;
  begin
    if to_regproc(job.function_name) is null then
      result := 'there is no such function here';
    else
      execute format('select %s()::text', job.function_name) into result;
    end if;
    update private.jobs set
      last_started_at = started_at, last_finished_at = clock_timestamp(), last_result = result, last_error = null,
      failures_in_a_row = 0, last_duration_ms = 1000 * extract(epoch from clock_timestamp() - started_at)
    where jobs.name = job.name;
  -- The second is not among the others: a job that takes longer than statement_timeout would undo those before it.
  exception when others or query_canceled then
    update private.jobs set
      last_started_at = started_at, last_error = format('%s (%s)', sqlerrm, sqlstate),
      failures_in_a_row = failures_in_a_row + 1,
      last_duration_ms = 1000 * extract(epoch from clock_timestamp() - started_at)
    where jobs.name = job.name;
    -- The error is kept with the job; the log has it as well.
    raise warning 'job % failed: %', job.name, sqlerrm;
  end;
  return result;
end
$$;
comment on function private.run_job(text) is
  'Runs one job now, unless it is running, and notes how it went. What it did is undone when it fails.';

create function public.run_jobs()
returns table (job text, is_run boolean, detail text, error text)
language plpgsql
security definer
set search_path = ''
as $$
declare
  due private.jobs;
begin
  for due in select * from private.jobs where is_enabled order by position, name loop
    job := due.name;
    is_run := false;
    detail := null;
    error := null;
    -- A timer is never exact: a tenth too early is in time.
    if due.last_started_at is null
      or due.last_started_at <= clock_timestamp() - make_interval(secs => due.period_s * 0.9) then
      detail := private.run_job(due.name);
      select jobs.last_started_at is distinct from due.last_started_at, jobs.last_error
      into is_run, error from private.jobs where jobs.name = due.name;
    end if;
    return next;
    -- Nothing ends this statement a second time; what is left is due with the next call.
    exit when error like '%(57014)';
  end loop;
end
$$;
comment on function public.run_jobs() is
  'Runs every job that is due. To be called every minute by whoever can where there is no pg_cron; harmless where there is.';

create function public.job_status()
returns table (
  job text, is_enabled boolean, period_s integer, is_scheduled boolean, is_stale boolean,
  last_started_at timestamptz, last_finished_at timestamptz, last_duration_ms double precision,
  last_result text, last_error text, failures_in_a_row integer, stale_since timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  scheduled text[] := '{}';
begin
  if not private.is_trusted() and private.my_role() is distinct from 'superadmin' then
    raise exception 'only superadmins see the jobs' using errcode = 'insufficient_privilege';
  end if;
  if to_regclass('cron.job') is not null then
    execute 'select coalesce(array_agg(jobname::text), ''{}'') from cron.job where active' into scheduled;
  end if;
  return query
  select jobs.name, jobs.is_enabled, jobs.period_s, 'penstock_' || jobs.name = any (scheduled), private.is_stale(jobs),
    jobs.last_started_at, jobs.last_finished_at, jobs.last_duration_ms,
    jobs.last_result, jobs.last_error, jobs.failures_in_a_row, jobs.stale_since
  from private.jobs order by jobs.position, jobs.name;
end
$$;
comment on function public.job_status() is
  'How each job went, whether pg_cron runs it, and which do not do their work. For superadmins and the secret key.';

create function private.is_stale(job private.jobs)
returns boolean
language sql
stable
set search_path = ''
as $$
  select job.is_enabled and (
    job.failures_in_a_row >= 3
    or coalesce(job.last_finished_at, job.created_at) < now() - make_interval(secs => 3 * job.period_s)
  );
$$;
comment on function private.is_stale(private.jobs) is 'Not finished for three periods, or failed three times in a row.';

create function private.note_stale_jobs()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  changed private.jobs;
  noted integer := 0;
begin
  for changed in
    update private.jobs set stale_since = case when private.is_stale(jobs) then now() end
    where private.is_stale(jobs) <> (stale_since is not null)
    returning *
  loop
    noted := noted + 1;
    perform private.note_system_alert(
      'job_' || changed.name,
      format('The job %s does not do its work: %s', changed.name, coalesce(changed.last_error, 'it does not finish')),
      changed.stale_since is not null
    );
  end loop;
  return noted;
end
$$;
comment on function private.note_stale_jobs() is
  'Notes which jobs have become stale or well again, tells the alerts, and returns how many.';

create function private.roll_up_backlog()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  consumed integer;
  total integer := 0;
  limit_of_caller interval := current_setting('statement_timeout')::interval;
  -- Well below the minute until the next run, and below what would undo it all.
  patience interval := least(interval '20 seconds', nullif(limit_of_caller, interval '0') / 3);
begin
  while clock_timestamp() < statement_timestamp() + patience loop
    consumed := private.roll_up();
    total := total + consumed;
    exit when consumed = 0;
  end loop;
  return total;
end
$$;
comment on function private.roll_up_backlog() is 'Rolls up until nothing is left, for at most 20 seconds and a third of statement_timeout. Returns how many entries.';

revoke execute on function
  private.run_job(text), private.is_stale(private.jobs), private.note_stale_jobs(), private.roll_up_backlog(),
  public.run_jobs(), public.job_status()
  from public, anon, authenticated;
grant execute on function public.run_jobs() to service_role;
grant execute on function public.job_status() to authenticated, service_role;
