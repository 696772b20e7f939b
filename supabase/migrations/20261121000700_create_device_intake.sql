-- The one rule for tables that devices fill, so that no table can be opened by half.

create function private.accept_rows_from_devices(table_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('alter table public.%I enable row level security', table_name);
  execute format('grant select on public.%I to service_role', table_name);
  execute format('grant insert, update, delete on public.%I to service_role', table_name);
  execute format('grant insert on public.%I to device', table_name);
  -- "on conflict do nothing" reads the key it compares, and checks it against the policy for select.
  execute format('grant select (device_id, epoch, seq, recorded_at) on public.%I to device', table_name);
  execute format(
    'create policy "Devices read the keys of their rows" on public.%I for select to device
     using (device_id = any (array(select private.my_device_ids())))',
    table_name
  );
  execute format(
    'create policy "Devices send their rows, of the present" on public.%I for insert to device
     with check (device_id = any (array(select private.my_device_ids())) and private.is_recordable(recorded_at))',
    table_name
  );
  execute format(
    'create trigger note_inserted after insert on public.%I
     referencing new table as inserted for each statement execute function private.note_inserted()',
    table_name
  );
end
$$;
comment on function private.accept_rows_from_devices(text) is
  'Grants, policies and the trigger of a table whose rows devices send: columns device_id, epoch, seq, recorded_at.';
revoke execute on function private.accept_rows_from_devices(text) from public;
