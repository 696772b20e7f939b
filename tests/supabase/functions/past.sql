-- Something in every queue of the project: rows that have become old enough for the archive, an alert somebody is to
-- be told of, and entries in the audit log. Applied after every migration.
select public.register_device('hub', 'hub', repeat('ab', 32));
select public.register_device('tank', 'tank', null, 'hub');

insert into public.telemetry_tank (device_id, epoch, seq, recorded_at, quality, time_quality, water_level_cm)
select devices.id, 7, n, date_trunc('week', now(), 'UTC') - interval '56 days' + n * interval '1 minute', 0, 0, n % 100
from public.devices cross join generate_series(1, 2500) as n
where devices.device_key = 'tank';
update private.partitioned_tables set keep_days = 35 where table_name = 'telemetry_tank';
select public.switch_archiving(true);

insert into public.alert_notification_rules (tenant_id, channel_type, address)
select devices.tenant_id, rule.channel_type, rule.address
from public.devices
cross join (values ('bot', '-100123'), ('sms', '+911234567890')) as rule (channel_type, address)
where devices.device_key = 'hub';
insert into public.alerts (device_id, alert_type, severity, title, message, recorded_at, raised_at)
select devices.id, 'threshold', 'critical', 'tank: low', 'water_level_cm is 12', now(), now()
from public.devices where devices.device_key = 'tank';
insert into public.alert_notifications (alert_id, notification_rule_id, event_type, tenant_id, channel_type, address)
select alerts.id, rules.id, 'raised', rules.tenant_id, rules.channel_type, rules.address
from public.alerts cross join public.alert_notification_rules as rules
on conflict do nothing;

select public.create_ingest_key(devices.id, 'roof') from public.devices where devices.device_key = 'hub';
