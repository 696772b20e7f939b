-- What a change of a rule does to what it has said so far: alerts that it would not raise any more are withdrawn.

create function private.stop_judging()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Before the first lock of a row: batches that judge finish, new ones wait for the milliseconds this takes. Row by row
  -- in whatever order, a change of many rules and a batch would wait for each other.
  -- Not for those whom the policies will show no rule to change: anybody could make all hubs wait.
  if private.is_trusted() or exists (select from private.tenant_ids_for('admin')) then
    lock table private.alert_states in exclusive mode;
  end if;
  return null;
end
$$;
comment on function private.stop_judging() is 'Lets nobody judge while rules change.';

create function private.forget_rule(rule_id integer, note text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.clear_alert(alert.id, now(), 'withdrawn', note)
  from (
    select active.id from public.alerts as active
    where active.rule_id = forget_rule.rule_id and active.is_active order by active.device_id
  ) as alert;
  -- What was judged stays judged: rows that come late do not raise an alert because somebody changed a number.
  update private.alert_states as state
  set breached_since = null, alert_id = null, last_raised_at = null
  where state.rule_id = forget_rule.rule_id;
end
$$;
comment on function private.forget_rule(integer, text) is 'Withdraws the alerts of a rule and forgets where it stood.';

create function private.follow_rule()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- These change how an alert is called, not whether there is one.
  harmless constant text[] := array['name', 'severity', 'cooldown_s'];
begin
  if tg_op = 'DELETE' then
    perform private.forget_rule(old.id, 'the rule was deleted');
    delete from private.alert_states as state where state.rule_id = old.id;
    return old;
  end if;
  if tg_op = 'UPDATE' then
    if to_jsonb(new) - harmless is not distinct from to_jsonb(old) - harmless then
      return null;
    end if;
    perform private.forget_rule(
      new.id, case when new.is_enabled then 'the rule was changed' else 'the rule was switched off' end
    );
    if (new.table_name, new.metric, new.rule_type) is distinct from (old.table_name, old.metric, old.rule_type) then
      delete from private.alert_states as state where state.rule_id = new.id;
    end if;
  end if;
  return null;
end
$$;
comment on function private.follow_rule() is
  'A rule that is changed starts anew with the next reading; one that is off or gone leaves no active alert.';

revoke execute on function private.stop_judging(), private.forget_rule(integer, text), private.follow_rule() from public;

create trigger stop_judging
before update or delete on public.alert_rules
for each statement execute function private.stop_judging();
create trigger follow_rule
after insert or update on public.alert_rules
for each row execute function private.follow_rule();
-- Before, because the foreign key makes alerts forget which rule raised them.
create trigger forget_rule
before delete on public.alert_rules
for each row execute function private.follow_rule();
select private.audit_table('alert_rules');
