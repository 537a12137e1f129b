"""A tenant that has a great deal of everything, and another one besides that has as much; for tests and benches of reads."""

import os
from dataclasses import dataclass
from uuid import UUID

import psycopg

from tests.support.tenants import TestTenant, make_tenant

_FILL = """
INSERT INTO workspaces (id, tenant_id, name, slug)
SELECT gen_random_uuid(), %(tenant)s, 'Space ' || n, 'space-' || n FROM generate_series(1, 20) n;

INSERT INTO contacts (id, tenant_id, mode, email, first_name, last_name, company, city, external_id, phone, status,
                      lead_score, source, created_at, updated_at)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'person.' || n || '@' || %(domain)s, 'First' || n %% 700, 'Last' || n %% 9000,
       'Company ' || n %% 5000, 'City ' || n %% 40, n, '+48 ' || n / 20,
       CASE WHEN n %% 100 = 0 THEN 'bounced' WHEN n %% 11 = 0 THEN 'unsubscribed' ELSE 'active' END, n %% 101, 'api',
       now() - (%(contacts)s - n) * interval '100 ms', now() - n * interval '90 ms'
FROM generate_series(%(from)s::integer, %(to)s) n;

UPDATE contacts SET total_opens = external_id::integer / 50 %% 60, total_clicks = external_id::integer / 100 %% 3,
                    last_email_opened_at = now() - external_id::integer * interval '5 minutes'
WHERE tenant_id = %(tenant)s AND external_id::integer BETWEEN %(from)s AND %(to)s AND external_id::integer %% 50 = 0;

INSERT INTO tags (id, tenant_id, mode, name)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'tag ' || n FROM generate_series(1, 500) n;
INSERT INTO lists (id, tenant_id, mode, name, type)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'list ' || n, 'static' FROM generate_series(1, 500) n;
INSERT INTO segments (id, tenant_id, mode, name, definition)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'segment ' || n, '{}' FROM generate_series(1, 2000) n;
INSERT INTO lists (id, tenant_id, mode, name, type, segment_id)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'dynamic ' || name, 'dynamic', id
FROM segments WHERE tenant_id = %(tenant)s ORDER BY created_at LIMIT 30;
INSERT INTO contact_fields (id, tenant_id, mode, key, type)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'field' || n, CASE n WHEN 2 THEN 'number' ELSE 'text' END
FROM generate_series(1, 300) n;

INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at FROM contacts c
JOIN tags t ON t.tenant_id = c.tenant_id
 AND t.name = ANY(ARRAY[CASE WHEN c.external_id::integer %% 2 = 0 THEN 'tag 1' END,
                        'tag ' || (c.external_id::integer %% 397 + 3)])
WHERE c.tenant_id = %(tenant)s;
INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, l.id, c.created_at FROM contacts c
JOIN lists l ON l.tenant_id = c.tenant_id
 AND l.name = ANY(ARRAY[CASE WHEN c.external_id::integer %% 3 = 0 THEN 'list 1' END,
                        CASE WHEN c.external_id::integer BETWEEN 2000 AND 3000 THEN 'list 2' END,
                        'list ' || (c.external_id::integer %% 389 + 3)])
WHERE c.tenant_id = %(tenant)s;
INSERT INTO contact_workspaces (tenant_id, mode, contact_id, workspace_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, w.id, c.created_at FROM contacts c
JOIN workspaces w ON w.tenant_id = c.tenant_id
 AND w.slug = CASE WHEN c.external_id::integer %% 5 = 0 THEN 'space-' || (c.external_id::integer %% 19 + 2) ELSE 'default' END
WHERE c.tenant_id = %(tenant)s;
INSERT INTO contact_field_values (tenant_id, mode, field_id, contact_id, text_value)
SELECT c.tenant_id, c.mode, f.id, c.id, 'value ' || c.external_id::integer %% 30 FROM contacts c
JOIN contact_fields f ON f.tenant_id = c.tenant_id AND f.key = 'field1' WHERE c.tenant_id = %(tenant)s;
INSERT INTO contact_field_values (tenant_id, mode, field_id, contact_id, number_value)
SELECT c.tenant_id, c.mode, f.id, c.id, c.external_id::integer %% 1000 / 10.0 FROM contacts c
JOIN contact_fields f ON f.tenant_id = c.tenant_id AND f.key = 'field2' WHERE c.tenant_id = %(tenant)s;

INSERT INTO suppression_list (id, tenant_id, mode, email, reason, source, added_at)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'person.' || n || '@' || %(domain)s,
       CASE WHEN n %% 100 = 0 THEN 'hard_bounce' ELSE 'manual' END, 'api', now() - n * interval '1 s'
FROM generate_series(1, %(contacts)s / 4) n;
INSERT INTO import_jobs (id, tenant_id, mode, file_name, file_type, file_size, file_key, status)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'f', 'csv', 1, 'k', CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'completed' END
FROM generate_series(1, 3000) n;
INSERT INTO export_jobs (id, tenant_id, mode, export_type, selected_fields, file_format)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'full', '{}', 'csv' FROM generate_series(1, 2000) n;
INSERT INTO privacy_requests (id, tenant_id, mode, type, email)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'access', 'person.' || n %% 500 || '@' || %(domain)s
FROM generate_series(1, 2000) n;
INSERT INTO templates (id, tenant_id, mode, workspace_id, name, subject, text_body, variables)
SELECT gen_random_uuid(), w.tenant_id, 'live', w.id, w.slug || ' ' || n, 's', 't', '{}'
FROM workspaces w CROSS JOIN generate_series(1, 120) n WHERE w.tenant_id = %(tenant)s;
INSERT INTO domains (id, tenant_id, mode, domain, verification_status, verification_token, dkim_selector, dkim_public_key,
                     secret_ref)
SELECT gen_random_uuid(), %(tenant)s, 'live', n || '.' || %(domain)s, CASE WHEN n %% 90 = 0 THEN 'failed' ELSE 'pending' END,
       't', 's', 'k', 'r' FROM generate_series(1, 2000) n;
INSERT INTO inbox_threads (id, tenant_id, mode, correspondent, subject, snippet, status, snoozed_until, is_unread,
                           last_message_at)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'person.' || n || '@' || %(domain)s, 's', 's',
       CASE WHEN n %% 100 = 0 THEN 'snoozed' WHEN n %% 50 = 1 THEN 'open' ELSE 'archived' END,
       CASE WHEN n %% 200 = 0 THEN now() - interval '1 s' WHEN n %% 100 = 0 THEN now() + interval '9 days' END,
       n %% 30 = 1, now() - n * interval '1 minute'
FROM generate_series(1, 20000) n;

INSERT INTO campaigns (id, tenant_id, mode, workspace_id, name, campaign_type, status, send_strategy, settings)
SELECT gen_random_uuid(), w.tenant_id, 'live', w.id, 'Campaign ' || w.slug || ' ' || n, 'broadcast',
       CASE WHEN n = 30 THEN 'paused' WHEN n %% 4 = 0 THEN 'completed' ELSE 'draft' END, 'immediate', '{}'
FROM workspaces w CROSS JOIN generate_series(1, 120) n WHERE w.tenant_id = %(tenant)s;
INSERT INTO campaign_contacts (tenant_id, mode, campaign_id, contact_id, status, finished_at)
SELECT c.tenant_id, c.mode, p.id, c.id, CASE WHEN c.external_id::integer %% 100 = 0 THEN 'exited' ELSE 'enrolled' END,
       CASE WHEN c.external_id::integer %% 100 = 0 THEN now() END
FROM campaigns p JOIN contacts c ON c.tenant_id = p.tenant_id
WHERE p.tenant_id = %(tenant)s AND p.name = 'Campaign space-1 1';

INSERT INTO emails (id, tenant_id, mode, campaign_id, to_email, from_email, subject, status, content_key, created_at)
SELECT gen_random_uuid(), %(tenant)s, 'live',
       CASE WHEN n %% 3 = 0 THEN (SELECT id FROM campaigns WHERE tenant_id = %(tenant)s AND name = 'Campaign space-1 1')
            WHEN n %% 1000 = 1 THEN (SELECT id FROM campaigns WHERE tenant_id = %(tenant)s AND name = 'Campaign space-1 2') END,
       'person.' || n %% (%(contacts)s / 4) || '@' || %(domain)s, 'a@' || %(domain)s, 's',
       CASE WHEN n %% 97 = 0 THEN 'bounced' WHEN n %% 13 = 0 THEN 'sent' ELSE 'delivered' END, gen_random_uuid(),
       now() - n * interval '100 ms'
FROM generate_series(%(from)s::integer, %(to)s) n;
INSERT INTO email_tags (tenant_id, mode, email_id, tag, email_created_at, status, campaign_id)
SELECT e.tenant_id, e.mode, e.id, t.tag, e.created_at, e.status, e.campaign_id
FROM (SELECT *, row_number() OVER (ORDER BY created_at) AS n FROM emails WHERE tenant_id = %(tenant)s) e
CROSS JOIN LATERAL (SELECT 'letter' AS tag WHERE e.n %% 2 = 0 UNION ALL SELECT 'rare ' || e.n %% 1000 WHERE e.n %% 7 = 0) t;

INSERT INTO webhooks (id, tenant_id, mode, name, endpoint_url, secret_ref, secret_last3, event_types, created_by)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'hook ' || n, 'https://example.com/' || n, 'r', 'abc', ARRAY['email.sent'],
       %(owner)s FROM generate_series(1, 90) n;
INSERT INTO events (id, tenant_id, mode, type, data, subject_id, created_at)
SELECT gen_random_uuid(), e.tenant_id, 'live', CASE WHEN e.n %% 200 = 0 THEN 'email.bounced' ELSE 'email.sent' END,
       jsonb_build_object('to', e.to_email), e.id, e.created_at
FROM (SELECT *, row_number() OVER (ORDER BY created_at) AS n FROM emails WHERE tenant_id = %(tenant)s) e;
INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, status, created_at,
                                sequence)
SELECT gen_random_uuid(), e.tenant_id, e.mode, w.id, e.id, e.type, e.created_at,
       CASE e.n / 7 %% 300 WHEN 0 THEN 'failed' WHEN 1 THEN 'held' ELSE 'success' END, e.created_at, e.n
FROM (SELECT *, row_number() OVER (ORDER BY created_at) AS n FROM events WHERE tenant_id = %(tenant)s) e
JOIN webhooks w ON w.tenant_id = e.tenant_id AND w.name = 'hook 1';
INSERT INTO users (id, tenant_id, email, name, role)
SELECT gen_random_uuid(), %(tenant)s, n || '@' || %(domain)s, 'User ' || n, CASE WHEN n %% 40 = 0 THEN 'admin' ELSE 'member' END
FROM generate_series(1, 400) n;
INSERT INTO invitations (id, tenant_id, email, role, invited_by, expires_at)
SELECT gen_random_uuid(), %(tenant)s, 'new.' || n || '@' || %(domain)s, 'member', %(owner)s, now() + interval '1 day'
FROM generate_series(1, 400) n;
INSERT INTO account_exports (id, tenant_id, status)
SELECT gen_random_uuid(), %(tenant)s, 'completed' FROM generate_series(1, 1000) n;
"""
_SLICE = 20_000
_IN_SLICES = "%(from)s"


@dataclass(frozen=True)
class LargeTenant:
    """The tenant, and ids of things in it that have much or little below them."""

    tenant: TestTenant
    domain: str
    ids: dict[str, UUID]


def make_large_tenant(contacts: int) -> LargeTenant:
    """Fill a new tenant with so many contacts, emails, events and deliveries, and a proper share of everything else."""
    tenant = make_tenant()
    domain = f"{tenant.id.hex[:12]}.example"
    params = {"tenant": tenant.id, "owner": tenant.owner_id, "domain": domain, "contacts": contacts}
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        for statement in filter(str.strip, _FILL.split(";\n")):
            slices = range(1, contacts + 1, _SLICE) if _IN_SLICES in statement else [1]
            for start in slices:
                bounds = {"from": start, "to": min(start + _SLICE - 1, contacts)}
                connection.execute(statement.encode(), {**params, **bounds})
            connection.execute("ANALYZE contacts, tags, lists, emails, events, campaigns")
        connection.execute("VACUUM (ANALYZE)")
        ids = {
            name: connection.execute(statement.encode(), [tenant.id]).fetchone()[0]  # pyright: ignore[reportOptionalSubscript]
            for name, statement in _IDS.items()
        }
    return LargeTenant(tenant, domain, ids)


_IDS = {
    "long list": "SELECT id FROM lists WHERE tenant_id = %s AND name = 'list 1'",
    "run list": "SELECT id FROM lists WHERE tenant_id = %s AND name = 'list 2'",
    "short list": "SELECT id FROM lists WHERE tenant_id = %s AND name = 'list 77'",
    "large campaign": "SELECT id FROM campaigns WHERE tenant_id = %s AND name = 'Campaign space-1 1'",
    "small campaign": "SELECT id FROM campaigns WHERE tenant_id = %s AND name = 'Campaign space-1 2'",
    "webhook": "SELECT id FROM webhooks WHERE tenant_id = %s AND name = 'hook 1'",
    "workspace": "SELECT id FROM workspaces WHERE tenant_id = %s AND slug = 'space-7'",
    "contact": "SELECT id FROM contacts WHERE tenant_id = %s AND external_id = '77'",
    "event": "SELECT id FROM events WHERE tenant_id = %s LIMIT 1",
}
