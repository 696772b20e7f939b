-- The one rule for tables that devices fill, so that no table can be opened by half.

create function private.take_turn()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Two batches with the same rows in another order would each wait for a row of the other. So the batches of one
  -- hub, and of the devices behind it, are taken one after the other; those of different hubs share no device, unless
  -- one roams between them: then all hubs of the tenant take turns.
  perform pg_advisory_xact_lock(
    1883,
    case
      when exists (select from public.devices as roaming where roaming.tenant_id = me.tenant_id and roaming.is_roaming)
        then -me.tenant_id
      else coalesce(me.hub_id, me.id)
    end
  )
  from public.devices as me
  where me.id = private.my_device_id();
  return null;
end
$$;
comment on function private.take_turn() is
  'Lets one batch at a time through for each hub, or tenant with nodes that roam, before its first row.';
revoke execute on function private.take_turn() from public;

create function private.accept_rows_from_devices(table_name text, is_rolled_up boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.open_to_people(table_name);
  execute format('grant insert, update, delete on public.%I to service_role', table_name);
  execute format('grant insert on public.%I to device', table_name);
  -- "on conflict do nothing" reads the key it compares, and checks it against the policy for select.
  execute format('grant select (device_id, epoch, seq, recorded_at) on public.%I to device', table_name);
  execute format(
    'create policy "Devices read the keys of their rows" on public.%I for select to device
     using (device_id = any (array(select private.ids_i_send_for())))',
    table_name
  );
  -- Not the future (a clock may be a minute ahead), and not what retention would drop at once. In the policy itself
  -- and not in a function, and each bound a query of its own: so nothing is called or computed for every row.
  execute format(
    'create policy "Devices send their rows, of the present" on public.%I for insert to device
     with check (
       device_id = any (array(select private.ids_i_send_for()))
       and recorded_at <= (select now() + interval ''1 minute'')
       and recorded_at >= (select now() - interval ''90 days'')
     )',
    table_name
  );
  execute format(
    'create trigger take_turn before insert on public.%I
     for each statement execute function private.take_turn()',
    table_name
  );
  execute format(
    'create trigger note_inserted after insert on public.%I
     referencing new table as inserted for each statement execute function private.note_inserted(%L)',
    table_name, is_rolled_up
  );
end
$$;
comment on function private.accept_rows_from_devices(text, boolean) is
  'Grants, policies and triggers of a table whose rows devices send: columns device_id, epoch, seq, recorded_at.';
revoke execute on function private.accept_rows_from_devices(text, boolean) from public;
