-- How a device proves who it is: with its secret once, and then with a refresh token that serves a single time.
-- The tokens themselves are signed by the Edge Function device-token; here it is decided who may have one.

create table private.device_token_requests (
  device_id integer not null references public.devices (id) on delete cascade,
  -- Counted apart, so that somebody who guesses cannot lock the device itself out.
  is_granted boolean not null,
  minute timestamptz not null,
  requests integer not null,
  primary key (device_id, is_granted)
);
comment on table private.device_token_requests is
  'Token requests of the current minute, to hold them to ten. Two rows for a device, however often it asks.';
comment on column private.device_token_requests.is_granted is 'Whether what was shown was right.';
comment on column private.device_token_requests.minute is 'The minute in which requests were counted.';

create table private.device_token_families (
  id bigint generated always as identity primary key,
  device_id integer not null references public.devices (id) on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
comment on table private.device_token_families is
  'Refresh tokens that follow each other, from one proof with the secret. One row to lock, and one to revoke them all.';
comment on column private.device_token_families.expires_at is 'When its newest token ends.';
comment on column private.device_token_families.revoked_at is
  'Since when none of them is believed: one was used twice, so one of the two users is a thief.';
create index device_token_families_device_id_idx on private.device_token_families (device_id);

create table private.device_tokens (
  -- SHA-256 of 32 random bytes: nothing to guess, so nothing to slow down with a password hash.
  refresh_hash bytea primary key check (octet_length(refresh_hash) = 32),
  family_id bigint not null references private.device_token_families (id) on delete cascade,
  issued_at timestamptz not null default now(),
  used_at timestamptz
);
comment on table private.device_tokens is
  'Hashes of refresh tokens. Used ones stay for their thirty days, so that a second use is noticed.';
comment on column private.device_tokens.refresh_hash is 'SHA-256 of the token. The token itself is not kept.';
comment on column private.device_tokens.used_at is 'When it was exchanged for the next one; only the newest has none.';
create index device_tokens_family_id_idx on private.device_tokens (family_id);

alter table private.device_token_requests enable row level security;
alter table private.device_token_families enable row level security;
alter table private.device_tokens enable row level security;
create policy "Nobody reads token requests" on private.device_token_requests for select to device using (false);
create policy "Nobody reads token families" on private.device_token_families for select to device using (false);
create policy "Nobody reads refresh tokens" on private.device_tokens for select to device using (false);

create function private.is_in_service(device_id integer)
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select from public.devices
    where devices.id = is_in_service.device_id and devices.revoked_at is null
      and devices.status in ('approved', 'active')
  );
$$;
comment on function private.is_in_service(integer) is 'False once a device is revoked or retired, and while it is pending.';

create function private.is_within_token_limit(device_id integer, is_granted boolean)
returns boolean
language sql
set search_path = ''
as $$
  insert into private.device_token_requests as seen (device_id, is_granted, minute, requests)
  values (device_id, is_granted, date_trunc('minute', now()), 1)
  on conflict on constraint device_token_requests_pkey do update set
    minute = excluded.minute,
    requests = case when seen.minute = excluded.minute then seen.requests + 1 else 1 end
  returning seen.requests <= 10;
$$;
comment on function private.is_within_token_limit(integer, boolean) is
  'Counts a request; false from the eleventh in a minute on. Locks the count, so it comes before any other lock.';

create function private.add_refresh_token(family_id bigint, refresh_hash text)
returns void
language sql
set search_path = ''
as $$
  insert into private.device_tokens (refresh_hash, family_id) values (decode(refresh_hash, 'hex'), family_id);
  update private.device_token_families set expires_at = now() + interval '30 days'
  where device_token_families.id = add_refresh_token.family_id;
$$;
comment on function private.add_refresh_token(bigint, text) is 'Adds the newest token of a family, for thirty days.';

create function public.open_device_session(device_key text, secret_hash text, refresh_hash text)
returns table (verdict text, device_id integer)
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  asking_id integer;
  is_right boolean;
  family_id bigint;
begin
  select devices.id into asking_id from public.devices where devices.device_key = open_device_session.device_key;
  -- Unknown keys are not counted: an attacker may have any number of them.
  if not found then
    return query select 'refused', null::integer;
    return;
  end if;
  is_right := private.is_in_service(asking_id) and exists (
    select from private.device_secrets as kept
    where kept.device_id = asking_id and kept.secret_hash = decode(open_device_session.secret_hash, 'hex')
  );
  if not private.is_within_token_limit(asking_id, is_right) then
    return query select 'limited', null::integer;
    return;
  end if;
  if not is_right then
    return query select 'refused', null::integer;
    return;
  end if;
  -- A hub that restarts all day would otherwise leave a family each time; twenty is far more than run at once.
  delete from private.device_token_families as families
  where families.device_id = asking_id and (
    families.expires_at < now()
    or families.id in (
      select newest.id from private.device_token_families as newest
      where newest.device_id = asking_id order by newest.id desc offset 19
    )
  );
  insert into private.device_token_families (device_id, expires_at) values (asking_id, now())
  returning id into family_id;
  perform private.add_refresh_token(family_id, open_device_session.refresh_hash);
  return query select 'granted', asking_id;
end
$$;
comment on function public.open_device_session(text, text, text) is
  'Says whether a device may have a token for its secret: granted with its number, refused, or limited after ten requests in a minute. Granted starts a family with the refresh token of refresh_hash. Hashes: SHA-256 in hex.';

create function public.refresh_device_session(refresh_hash text, next_hash text)
returns table (verdict text, device_id integer, device_key text)
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  shown private.device_tokens;
  family private.device_token_families;
  is_right boolean;
  is_limited boolean;
begin
  select * into shown from private.device_tokens as kept
  where kept.refresh_hash = decode(refresh_device_session.refresh_hash, 'hex');
  -- As with unknown keys, what was never issued leaves no trace.
  if not found then
    return query select 'refused', null::integer, null::text;
    return;
  end if;
  select * into family from private.device_token_families as families where families.id = shown.family_id;
  is_right := shown.used_at is null and family.revoked_at is null and private.is_in_service(family.device_id);
  is_limited := not private.is_within_token_limit(family.device_id, is_right);
  -- Of two who show the same token at once, the second waits here and then finds it used.
  perform from private.device_token_families as families where families.id = shown.family_id for update;
  select * into family from private.device_token_families as families where families.id = shown.family_id;
  select * into shown from private.device_tokens as kept where kept.refresh_hash = shown.refresh_hash;
  if shown.used_at is not null then
    update private.device_token_families as families set revoked_at = coalesce(families.revoked_at, now())
    where families.id = family.id;
    -- A flood of wrong requests must not hide a theft: it is noted first, and then put off like the others.
    return query select case when is_limited then 'limited' else 'reused' end, null::integer, null::text;
    return;
  end if;
  if is_limited then
    return query select 'limited', null::integer, null::text;
    return;
  end if;
  -- Null where another request has just removed the family: then there is nothing to be granted.
  is_right := coalesce(
    family.revoked_at is null and shown.issued_at > now() - interval '30 days'
      and private.is_in_service(family.device_id),
    false
  );
  if not is_right then
    return query select 'refused', null::integer, null::text;
    return;
  end if;
  update private.device_tokens as kept set used_at = now() where kept.refresh_hash = shown.refresh_hash;
  delete from private.device_tokens as kept
  where kept.family_id = family.id and kept.issued_at < now() - interval '30 days';
  perform private.add_refresh_token(family.id, refresh_device_session.next_hash);
  return query
    select 'granted', devices.id, devices.device_key from public.devices where devices.id = family.device_id;
end
$$;
comment on function public.refresh_device_session(text, text) is
  'Exchanges a refresh token for the next one: granted with the device, refused, limited after ten requests in a minute, or reused, which revokes its whole family. Hashes: SHA-256 in hex.';

create function private.end_device_sessions(device_id integer)
returns void
language sql
set search_path = ''
as $$
  -- In one order, as requests that open a family remove old ones.
  with mine as (
    select families.id from private.device_token_families as families
    where families.device_id = end_device_sessions.device_id and families.revoked_at is null
    order by families.id
    for update
  )
  update private.device_token_families as families set revoked_at = now() from mine where families.id = mine.id;
$$;
comment on function private.end_device_sessions(integer) is
  'Voids every refresh token of a device. What it was given last still serves until it expires.';

revoke execute on function
  private.is_in_service(integer), private.is_within_token_limit(integer, boolean),
  private.add_refresh_token(bigint, text), private.end_device_sessions(integer),
  public.open_device_session(text, text, text), public.refresh_device_session(text, text)
  from public, anon, authenticated;
grant execute on function
  public.open_device_session(text, text, text), public.refresh_device_session(text, text)
  to service_role;
