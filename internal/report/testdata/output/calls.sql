-- What the reports of this folder are about.
INSERT INTO source (name, provider) VALUES ('acme', 'didww'), ('silent', 'wavix'), ('wavix', 'wavix');
INSERT INTO call (source, call_id, provider, account, trunk, direction, dst_country, state, disposition, call_time, started_at, ringing_at, answered_at, ended_at,
    clock, duration, billsec, charged_sec, cost, currency, sip_code, hangup_cause, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
SELECT source, n::text, provider, account, trunk, 'outbound', country, 'ended', disposition, at, at, at + interval '1.25 s', CASE disposition WHEN 'answered' THEN at + interval '5 s' END, at + duration * interval '1 second',
    'provider', duration, billsec, charged, cost, currency, sip, cause, 0, 1, cdrs, 1, at, at, at
FROM (VALUES
    (1, 'acme', 'didww', 'a "quoted", account', 'trunk-1', 'GB', 'answered', timestamptz '2026-10-24 12:00Z', 3605.5, 3600.5, 3660, 1234.56789, 'USD', 200, NULL, 1),
    (2, 'acme', 'didww', NULL, 'trunk-1', 'GB', 'busy', timestamptz '2026-10-25 00:30Z', 3, 0, NULL, NULL, NULL, 486, NULL, 1),
    (3, 'wavix', 'wavix', '=cmd|x', E'line\nbreak', 'US', 'answered', timestamptz '2026-10-25 01:30Z', 1200, 1195, 1200, 0.10, 'EUR', NULL, 'answered', 0),
    (4, 'wavix', 'wavix', '=cmd|x', NULL, NULL, 'answered', timestamptz '2026-10-25 01:45Z', 9, 4, 60, -0.0050, 'USD', NULL, NULL, 1),
    (5, 'wavix', 'wavix', '=cmd|x', NULL, NULL, 'answered', timestamptz '2026-11-25 01:45Z', 9, 4, 60, 1, 'USD', NULL, NULL, 1)
) v (n, source, provider, account, trunk, country, disposition, at, duration, billsec, charged, cost, currency, sip, cause, cdrs);
INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries, problems)
SELECT 'acme', n::text, ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'ended', 'x', '', now(), 'provider', timestamptz '2026-10-25 10:00Z' + n * n * interval '1 hour', now(), n, '{}'
FROM generate_series(1, 4) n;
