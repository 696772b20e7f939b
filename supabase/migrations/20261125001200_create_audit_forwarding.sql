-- Handing the audit log on to somebody else's, entry by entry and at least once.

create table private.audit_forwards (
  audit_id bigint primary key references public.audit_logs (id) on delete cascade,
  leased_until timestamptz not null default '-infinity',
  attempts integer not null default 0,
  forwarded_at timestamptz
);
comment on table private.audit_forwards is 'How far each entry of the audit log has been handed on.';
comment on column private.audit_forwards.leased_until is
  'Until then it is in the hands of one forwarder, or rests after an attempt that failed.';
create index audit_forwards_waiting_idx on private.audit_forwards (audit_id) where forwarded_at is null;
alter table private.audit_forwards enable row level security;
create policy "Nobody reads how far the audit log is forwarded" on private.audit_forwards
for select to device using (false);

create function private.await_forwarding()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into private.audit_forwards (audit_id) values (new.id);
  return null;
end
$$;
comment on function private.await_forwarding() is 'Puts a new entry of the audit log among those to be forwarded.';
revoke execute on function private.await_forwarding() from public;

create trigger await_forwarding after insert on public.audit_logs
for each row execute function private.await_forwarding();

create function public.claim_audit_entries(batch_size integer default 100)
returns table (leased_until timestamptz, entry jsonb)
language sql
security definer
set search_path = ''
as $$
  with due as (
    select waiting.audit_id
    from private.audit_forwards as waiting
    where waiting.forwarded_at is null and waiting.leased_until <= now()
    order by waiting.audit_id
    limit least(greatest(batch_size, 1), 1000)
    for update skip locked
  ), leased as (
    update private.audit_forwards as forward
    set leased_until = now() + interval '2 minutes', attempts = forward.attempts + 1
    from due where forward.audit_id = due.audit_id
    returning forward.audit_id, forward.leased_until
  )
  select leased.leased_until, to_jsonb(entry)
  from leased join public.audit_logs as entry on entry.id = leased.audit_id order by entry.id;
$$;
comment on function public.claim_audit_entries(integer) is
  'The oldest entries not forwarded yet, at most a thousand. They are the caller''s for two minutes, until leased_until.';

create function public.settle_audit_entries(ids bigint[], leased_until timestamptz, is_sent boolean)
returns integer
language sql
security definer
set search_path = ''
as $$
  with settled as (
    update private.audit_forwards as forward
    set
      forwarded_at = case when is_sent then now() end,
      -- One minute, two, four, and so on up to an hour. Never given up: an audit log with holes is none.
      leased_until = case
        when is_sent then forward.leased_until
        else now() + least(interval '1 minute' * 2 ^ least(greatest(forward.attempts - 1, 0), 6), interval '1 hour')
      end
    where forward.audit_id = any (ids) and forward.forwarded_at is null
      -- No two leases of an entry end at one moment: who comes late changes nothing of what another one holds by now.
      and forward.leased_until = settle_audit_entries.leased_until
    returning forward.audit_id
  )
  select count(*)::integer from settled;
$$;
comment on function public.settle_audit_entries(bigint[], timestamptz, boolean) is
  'Says of entries claimed together that they were forwarded, or that it failed: then they rest and come again. Returns how many.';

revoke execute on function public.claim_audit_entries(integer), public.settle_audit_entries(bigint[], timestamptz, boolean)
  from public, anon, authenticated;
grant execute on function public.claim_audit_entries(integer), public.settle_audit_entries(bigint[], timestamptz, boolean)
  to service_role;
