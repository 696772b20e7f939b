-- What was dropped on purpose, so that a hole in a sequence is either explained or a bug.

create table public.loss_ledger (
  device_id integer not null,
  epoch integer not null check (epoch >= 0),
  seq bigint not null check (seq between 0 and 9007199254740991),
  recorded_at timestamptz not null,
  quality smallint not null check (quality between 0 and 2),
  time_quality smallint not null check (time_quality between 0 and 2),
  lost_device_id integer not null,
  lost_epoch integer not null check (lost_epoch >= 0),
  first_seq bigint not null check (first_seq >= 0),
  -- As far as JSON numbers are exact; more would also break the arithmetic of completeness for everybody.
  last_seq bigint not null check (last_seq <= 9007199254740991),
  cause text not null check (cause in ('evicted', 'thinned', 'rejected', 'disk', 'corrupt', 'clock')),
  first_recorded_at timestamptz,
  last_recorded_at timestamptz,
  detail text check (char_length(detail) <= 500),
  received_at timestamptz not null default now(),
  primary key (device_id, recorded_at, epoch, seq),
  -- An empty range would explain nothing.
  constraint loss_ledger_range_not_empty check (last_seq >= first_seq)
);
comment on table public.loss_ledger is 'Ranges of rows that were dropped on purpose, and why. Few, so not partitioned.';
comment on column public.loss_ledger.device_id is 'The hub that tells of the loss.';
comment on column public.loss_ledger.lost_device_id is 'The device whose rows are lost.';
comment on column public.loss_ledger.lost_epoch is 'The epoch in which first_seq and last_seq count.';
comment on column public.loss_ledger.first_seq is 'First lost row.';
comment on column public.loss_ledger.last_seq is 'Last lost row, inclusive.';
comment on column public.loss_ledger.first_recorded_at is 'When the first of them was recorded, if that is known.';
comment on column public.loss_ledger.last_recorded_at is 'When the last of them was recorded, if that is known.';

create index loss_ledger_lost_device_id_idx on public.loss_ledger (lost_device_id, lost_epoch);

select private.accept_rows_from_devices('loss_ledger', is_rolled_up => false);

-- Otherwise a device could explain away the holes of another.
drop policy "Devices send their rows, of the present" on public.loss_ledger;
create policy "Devices send their losses, of the present"
on public.loss_ledger for insert to device
with check (
  device_id = any (array(select private.ids_i_send_for()))
  and lost_device_id = any (array(select private.ids_i_send_for()))
  and recorded_at <= now() + interval '1 minute' and recorded_at >= now() - interval '90 days'
);
