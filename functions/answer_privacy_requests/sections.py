"""What a copy of a person's data holds, section by section."""

from typing import Any, LiteralString

from penguinmails.db import Tx

SECTIONS: dict[str, LiteralString] = {
    "contacts": "SELECT to_jsonb(c) FROM contacts c WHERE email = %(email)s",
    "tags": """
        SELECT to_jsonb(t.name) FROM contacts c
        JOIN contact_tags l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN tags t ON t.tenant_id = l.tenant_id AND t.mode = l.mode AND t.id = l.tag_id
        WHERE c.email = %(email)s
        """,
    "lists": """
        SELECT to_jsonb(t.name) FROM contacts c
        JOIN contact_lists l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN lists t ON t.tenant_id = l.tenant_id AND t.mode = l.mode AND t.id = l.list_id
        WHERE c.email = %(email)s
        """,
    "workspaces": """
        SELECT to_jsonb(w.name) FROM contacts c
        JOIN contact_workspaces l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN workspaces w ON w.tenant_id = l.tenant_id AND w.id = l.workspace_id
        WHERE c.email = %(email)s
        """,
    "campaigns": """
        SELECT to_jsonb(l) || jsonb_build_object('campaign', g.name) FROM contacts c
        JOIN campaign_contacts l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN campaigns g ON g.tenant_id = l.tenant_id AND g.mode = l.mode AND g.id = l.campaign_id
        WHERE c.email = %(email)s
        """,
    "emails": """
        SELECT to_jsonb(e) || jsonb_build_object('text', t.content_text, 'html', t.content_html, 'headers', t.headers, 'tags',
          ARRAY(SELECT g.tag FROM email_tags g
                WHERE g.tenant_id = e.tenant_id AND g.mode = e.mode AND g.email_id = e.id ORDER BY g.tag))
        FROM emails e
        LEFT JOIN content_objects t ON t.tenant_id = e.tenant_id AND t.mode = e.mode AND t.storage_key = e.content_key
        WHERE e.to_email = %(email)s ORDER BY e.created_at, e.id
        """,
    "email_attachments": """
        SELECT jsonb_build_object('email_id', e.id, 'file_name', a.file_name, 'content_type', a.content_type,
                                  'size', coalesce(a.size, octet_length(a.content)),
                                  'sha256', encode(sha256(a.content), 'hex'), 'file_key', u.file_key)
        FROM emails e
        JOIN email_attachments a ON a.tenant_id = e.tenant_id AND a.mode = e.mode AND a.content_key = e.content_key
        LEFT JOIN email_uploads u ON u.tenant_id = a.tenant_id AND u.mode = a.mode AND u.id = a.upload_id
        WHERE e.to_email = %(email)s ORDER BY e.created_at, e.id, a.position
        """,
    "email_events": """
        SELECT to_jsonb(h) FROM emails e
        JOIN email_events h ON h.tenant_id = e.tenant_id AND h.mode = e.mode AND h.email_id = e.id
        WHERE e.to_email = %(email)s ORDER BY h.occurred_at, h.id
        """,
    "events": """
        SELECT to_jsonb(v) FROM events v
        WHERE v.subject_id IN (SELECT id FROM contacts WHERE email = %(email)s
                               UNION ALL SELECT id FROM emails WHERE to_email = %(email)s)
        ORDER BY v.created_at, v.id
        """,
    "inbox_attachments": """
        SELECT to_jsonb(a) - 'content' || jsonb_build_object('content_base64', encode(a.content, 'base64'))
        FROM inbox_messages m
        JOIN inbox_attachments a ON a.tenant_id = m.tenant_id AND a.mode = m.mode AND a.message_id = m.id
        WHERE m.id IN (
          SELECT id FROM inbox_messages WHERE from_email = %(email)s
          UNION ALL SELECT o.id FROM inbox_threads t
          JOIN inbox_messages o ON o.tenant_id = t.tenant_id AND o.mode = t.mode AND o.thread_id = t.id
          WHERE t.correspondent = %(email)s)
        ORDER BY m.received_at, m.id, a.position
        """,
    "inbox_messages": """
        SELECT to_jsonb(m) FROM inbox_messages m
        WHERE m.id IN (
          SELECT id FROM inbox_messages WHERE from_email = %(email)s
          UNION ALL SELECT o.id FROM inbox_threads t
          JOIN inbox_messages o ON o.tenant_id = t.tenant_id AND o.mode = t.mode AND o.thread_id = t.id
          WHERE t.correspondent = %(email)s)
        ORDER BY m.received_at, m.id
        """,
    "inbox_threads": """
        SELECT to_jsonb(t) FROM inbox_threads t WHERE t.correspondent = %(email)s ORDER BY t.last_message_at, t.id
        """,
    "import_events": """
        SELECT to_jsonb(i) || jsonb_build_object('file_name', j.file_name) FROM contacts c
        JOIN import_events i ON i.tenant_id = c.tenant_id AND i.mode = c.mode AND i.contact_id = c.id AND i.type = 'updated'
        JOIN import_jobs j ON j.tenant_id = i.tenant_id AND j.mode = i.mode AND j.id = i.job_id
        WHERE c.email = %(email)s ORDER BY i.written_at, i.job_id, i.line
        """,
    "webhook_attempts": """
        SELECT jsonb_build_object('event_id', v.id, 'webhook', w.name, 'attempted_at', a.attempted_at,
                                  'status_code', a.status_code, 'response_headers', a.response_headers,
                                  'response_body', a.response_body, 'error_message', a.error_message)
        FROM events v
        JOIN webhooks w ON w.tenant_id = v.tenant_id AND w.mode = v.mode
        JOIN webhook_deliveries d
          ON d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.event_id = v.id
         AND (d.event_created_at = v.created_at OR d.is_test)
        JOIN webhook_attempts a ON a.tenant_id = d.tenant_id AND a.mode = d.mode AND a.delivery_id = d.id
                               AND a.event_created_at = d.event_created_at
        WHERE v.subject_id IN (SELECT id FROM contacts WHERE email = %(email)s
                               UNION ALL SELECT id FROM emails WHERE to_email = %(email)s)
          AND a.batch_id IS NULL
        ORDER BY a.attempted_at, d.id
        """,
    "privacy_requests": """
        SELECT to_jsonb(p) - 'file_key' FROM privacy_requests p WHERE p.email = %(email)s ORDER BY p.created_at, p.id
        """,
    "soft_bounces": "SELECT to_jsonb(b) FROM soft_bounces b WHERE email = %(email)s",
    "suppression_list": "SELECT to_jsonb(s) FROM suppression_list s WHERE email = %(email)s",
    "suppression_lifts": "SELECT to_jsonb(s) FROM suppression_lifts s WHERE email = %(email)s ORDER BY lifted_at, id",
}
"""Each is called as the table that it comes from, `tags`, `lists` and `workspaces` as what the contact belongs to.

Of files that were sent to the person: how each was called, and by which digest it is known. They have the files themselves,
which would make a copy as large as all their mail. Of what webhooks answered: not to posts that were about others too.
"""


def section(tx: Tx, name: str, email: str) -> list[Any]:
    """One section of the copy for an address."""
    return tx.all(SECTIONS[name], {"email": email})
