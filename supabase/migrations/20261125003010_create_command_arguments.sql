-- What may stand in an order, held against the description of its type.

create function private.argument_problem(rule jsonb, value jsonb)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when rule is null then 'is not known'
    when jsonb_typeof(value) <> case rule ->> 'type'
      when 'integer' then 'number' when 'text' then 'string' else rule ->> 'type'
    end then format('must be of type %s', rule ->> 'type')
    when rule ->> 'type' in ('integer', 'number') then case
      when rule ->> 'type' = 'integer' and (value #>> '{}')::numeric % 1 <> 0 then 'must be a whole number'
      when (value #>> '{}')::numeric < (rule ->> 'min')::numeric
        or (value #>> '{}')::numeric > (rule ->> 'max')::numeric
        then format('must be between %s and %s', rule ->> 'min', rule ->> 'max')
    end
    when rule ? 'choices' and not rule -> 'choices' @> value then format('must be one of %s', rule -> 'choices')
    when (value #>> '{}') !~ (rule ->> 'pattern') then format('must look like %s', rule ->> 'pattern')
  end;
$$;
comment on function private.argument_problem(jsonb, jsonb) is
  'What is wrong with an argument by the rule of its type; null when nothing is.';

create function private.check_arguments(arguments jsonb, args jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  problems text;
begin
  if args is null or jsonb_typeof(args) <> 'object' then
    raise exception 'the arguments of a command are an object'
      using errcode = 'check_violation', hint = 'Without arguments it is {}.';
  end if;
  if not private.is_within(args, 16384) then
    raise exception 'the arguments of a command are too long'
      using errcode = 'check_violation', hint = 'At most 16384 bytes.';
  end if;
  -- Whoever may look at the device reads its orders, and they stay in the audit log.
  if args::text ~* '"[^"]*(password|passphrase|secret|token)[^"]*":' then
    raise exception 'the arguments of a command carry no secrets'
      using errcode = 'check_violation', hint = 'Set passwords, secrets and tokens at the device.';
  end if;
  select string_agg(format('%s %s', quote_ident(left(names.name, 63)), problem), '; ' order by names.name)
  into problems
  from (select jsonb_object_keys(arguments) union select jsonb_object_keys(args)) as names (name)
  cross join lateral (
    select case
      when args ? names.name then private.argument_problem(arguments -> names.name, args -> names.name)
      when (arguments -> names.name -> 'is_required')::boolean then 'is missing'
    end
  ) as found (problem)
  where problem is not null;
  if problems is not null then
    raise exception 'wrong arguments: %', left(problems, 1000)
      using errcode = 'check_violation', hint = 'command_types.arguments says what each type of command takes.';
  end if;
end
$$;
comment on function private.check_arguments(jsonb, jsonb) is
  'Refuses arguments that are not as the type of the command describes them, naming every one that is wrong.';

revoke execute on function
  private.argument_problem(jsonb, jsonb), private.check_arguments(jsonb, jsonb)
  from public;
