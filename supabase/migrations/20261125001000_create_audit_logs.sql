create function private.note_audit(
  action_type text, resource_type text, resource_id text, details jsonb default '{}'
)
returns void
language sql
set search_path = ''
as $$ select $$;
comment on function private.note_audit(text, text, text, jsonb) is 'To be written.';
revoke execute on function private.note_audit(text, text, text, jsonb) from public;
