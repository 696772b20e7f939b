-- Readings against rules, one after the other in the order of recorded_at, so that it does not matter how a series was
-- cut into batches.

create function private.note_breach(
  rule public.alert_rules, device_id integer, since timestamptz, at timestamptz, value double precision
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  device_name text := (select device.name from public.devices as device where device.id = note_breach.device_id);
  alert public.alerts;
begin
  alert.rule_id := rule.id;
  alert.device_id := note_breach.device_id;
  alert.alert_type := rule.rule_type;
  alert.severity := rule.severity;
  alert.title := device_name || ': ' || rule.name;
  alert.message := case rule.rule_type
    when 'stale' then format('No %s for %s s, more than %s s.', rule.metric, round(note_breach.value), rule.stale_after_s)
    else format(
      '%s %s %s, %s %s%s.',
      rule.metric,
      case rule.rule_type when 'rate' then 'changes per minute by' else 'is' end,
      round(note_breach.value::numeric, 3)::double precision,
      case when rule.is_above then 'above' else 'below' end,
      rule.threshold,
      case when at > since then format(' for %s s', round(extract(epoch from at - since))) else '' end
    )
  end;
  alert.value := note_breach.value;
  alert.threshold := rule.threshold;
  alert.recorded_at := since;
  alert.raised_at := at;
  alert.details := jsonb_build_object(
    'rule_name', rule.name, 'table_name', rule.table_name, 'metric', rule.metric
  );
  return private.raise_alert(alert);
end
$$;
comment on function private.note_breach(
  public.alert_rules, integer, timestamptz, timestamptz, double precision
) is 'Raises the alert of a rule, in words.';

create function private.judge_series(
  rule public.alert_rules, device_id integer, times timestamptz[], readings double precision[]
)
returns void
language plpgsql
set search_path = ''
as $$
#variable_conflict use_variable
declare
  is_rate constant boolean := rule.rule_type = 'rate';
  clear_threshold constant double precision := coalesce(rule.clear_threshold, rule.threshold);
  duration constant interval := make_interval(secs => rule.duration_s);
  cooldown constant interval := make_interval(secs => rule.cooldown_s);
  state private.alert_states;
  at timestamptz;
  value double precision;
  elapsed_s double precision;
begin
  select * into state from private.alert_states as stored
  where stored.device_id = judge_series.device_id and stored.rule_id = rule.id;

  for place in 1 .. cardinality(times) loop
    at := times[place];
    continue when at < state.last_at;
    value := readings[place];
    if is_rate then
      -- Two readings of one instant have no rate between them: the first one counts.
      continue when at = state.last_at;
      elapsed_s := extract(epoch from at - state.last_at);
      value := value - state.last_value;
      -- Next to nothing divided is an error (underflow), and the whole batch would be refused over it.
      value := case when abs(value) > 1e-300 then value / elapsed_s * 60 else 0 * value end;
      state.last_value := readings[place];
    end if;
    state.last_at := at;
    continue when value is null;

    if state.alert_id is not null then
      if (rule.is_above and value <= clear_threshold) or (not rule.is_above and value >= clear_threshold) then
        perform private.clear_alert(state.alert_id, at);
        state.alert_id := null;
        state.breached_since := null;
      end if;
    elsif (rule.is_above and value > rule.threshold) or (not rule.is_above and value < rule.threshold) then
      state.breached_since := coalesce(state.breached_since, at);
      if at - state.breached_since >= duration and coalesce(at - state.last_raised_at >= cooldown, true) then
        state.alert_id := private.note_breach(rule, device_id, state.breached_since, at, value);
        state.last_raised_at := at;
      end if;
    else
      state.breached_since := null;
    end if;
  end loop;

  update private.alert_states as stored set
    last_at = state.last_at,
    last_value = state.last_value,
    breached_since = state.breached_since,
    alert_id = state.alert_id,
    last_raised_at = state.last_raised_at
  where stored.device_id = judge_series.device_id and stored.rule_id = rule.id;
end
$$;
comment on function private.judge_series(public.alert_rules, integer, timestamptz[], double precision[]) is
  'Takes one rule and device through readings in order of time. The state is there and locked.';

create function private.judge_freshness(rule public.alert_rules, device_id integer, at timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
  state private.alert_states;
begin
  update private.alert_states as stored set last_at = greatest(stored.last_at, at)
  where stored.device_id = judge_freshness.device_id and stored.rule_id = rule.id
  returning * into state;
  if state.alert_id is not null and state.last_at >= now() - make_interval(secs => rule.stale_after_s) then
    perform private.clear_alert(state.alert_id, state.last_at);
    update private.alert_states as stored set alert_id = null
    where stored.device_id = judge_freshness.device_id and stored.rule_id = rule.id;
  end if;
end
$$;
comment on function private.judge_freshness(public.alert_rules, integer, timestamptz) is
  'Ends an alert about stale data when a value came that is fresh.';

create function private.judge_readings(
  rule_ids integer[], device_id integer, times timestamptz[], readings double precision[]
)
returns void
language plpgsql
set search_path = ''
as $$
#variable_conflict use_variable
declare
  rule public.alert_rules;
begin
  insert into private.alert_states (device_id, rule_id)
  select device_id, wanted.rule_id from unnest(rule_ids) as wanted (rule_id) order by wanted.rule_id
  on conflict do nothing;
  perform from private.alert_states as state
  where state.device_id = judge_readings.device_id and state.rule_id = any (rule_ids)
  order by state.rule_id for update;
  -- Read only now: whoever changed a rule had to let go of the states first.
  for rule in
    select found.* from public.alert_rules as found
    where found.id = any (rule_ids) and found.is_enabled order by found.id
  loop
    if rule.rule_type = 'stale' then
      perform private.judge_freshness(rule, device_id, times[cardinality(times)]);
    else
      perform private.judge_series(rule, device_id, times, readings);
    end if;
  end loop;
end
$$;
comment on function private.judge_readings(integer[], integer, timestamptz[], double precision[]) is
  'Holds the new readings of one device and metric, in rising order of time, against these rules.';

revoke execute on function
  private.note_breach(public.alert_rules, integer, timestamptz, timestamptz, double precision),
  private.judge_series(public.alert_rules, integer, timestamptz[], double precision[]),
  private.judge_freshness(public.alert_rules, integer, timestamptz),
  private.judge_readings(integer[], integer, timestamptz[], double precision[])
  from public;
