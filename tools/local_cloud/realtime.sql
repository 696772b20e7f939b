-- The database side of Realtime, as far as broadcast goes, before the first migration: what hosted Supabase has, except
-- that a message is read by notification here and from the write-ahead log there.

create schema if not exists realtime;
comment on schema realtime is 'Channels: who may use them, and the messages that SQL sends to them.';
grant usage on schema realtime to anon, authenticated, service_role;

create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  -- Hosted reads the order from its log.
  position bigint generated always as identity,
  constraint messages_pkey primary key (id)
);
comment on table realtime.messages is
  'Messages on their way to the channels. Its policies say who may listen (select) and send (insert).';
comment on column realtime.messages.topic is 'The channel, without the "realtime:" of the protocol.';
comment on column realtime.messages.extension is 'broadcast or presence.';
comment on column realtime.messages.private is 'True: only for channels that were joined as private ones.';
comment on column realtime.messages.position is 'The order of sending. Only here: hosted has no such column.';

alter table realtime.messages enable row level security;
-- As hosted. A role that a project makes for itself, such as device, is granted by its own migration there.
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

create or replace function realtime.topic()
returns text
language sql
stable
set search_path = ''
as $$
  select nullif(current_setting('realtime.topic', true), '');
$$;
comment on function realtime.topic() is 'The channel that a policy is asked about.';

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
set search_path = ''
as $$
declare
  message_id constant uuid := gen_random_uuid();
begin
  -- The policies that rule the channels rule this insert too, unless the caller is above them.
  perform set_config('realtime.topic', send.topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    message_id,
    case when jsonb_typeof(send.payload) = 'object' then jsonb_build_object('id', message_id) || send.payload
      else send.payload end,
    send.event, send.topic, send.private, 'broadcast'
  );
exception
  when others then
    -- Telling somebody is never worth the transaction of what happened.
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;
comment on function realtime.send(jsonb, text, text, boolean) is
  'Sends an event to a channel when the transaction commits. Never fails; what goes wrong is a warning.';

create or replace function realtime.announce_messages()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- A notification holds 8,000 bytes, so it carries nothing and the rows are read. It is delivered at commit.
  perform pg_notify('realtime_messages', '');
  return null;
end
$$;
comment on function realtime.announce_messages() is 'Wakes the server of the channels once for each transaction.';

create or replace trigger announce_messages
after insert on realtime.messages
for each statement execute function realtime.announce_messages();
