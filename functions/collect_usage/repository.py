"""SQL of the usage collection."""

from typing import Any

from penguinmails.db import Tx, jsonb


def insert_usage(tx: Tx, rows: list[dict[str, Any]]) -> int:
    """Store records and add those that are new to the day's counts, in one statement; how many were new."""
    return tx.one(
        """
        WITH incoming AS (
          SELECT r.* FROM jsonb_to_recordset(%(rows)s) AS r (
            id uuid, tenant_id uuid, api_key_id uuid, endpoint text, method text, status_code integer,
            response_time_ms integer, ip_address text, user_agent text, created_at timestamptz, country text)
          JOIN api_keys k ON k.tenant_id = r.tenant_id AND k.id = r.api_key_id
        ), stored AS (
          INSERT INTO api_key_usage (id, tenant_id, api_key_id, endpoint, method, status_code, response_time_ms,
                                     ip_address, user_agent, created_at, country)
          SELECT id, tenant_id, api_key_id, endpoint, method, status_code, response_time_ms,
                 nullif(ip_address, '')::inet, user_agent, created_at, country
          FROM incoming
          ON CONFLICT DO NOTHING
          RETURNING tenant_id, api_key_id, endpoint, method, status_code, response_time_ms, ip_address, created_at, country
        ), counted AS (
          INSERT INTO api_key_usage_daily AS d (tenant_id, api_key_id, day, endpoint, method, requests, errors, total_ms)
          SELECT tenant_id, api_key_id, (created_at AT TIME ZONE 'UTC')::date, endpoint, method, count(*),
                 count(*) FILTER (WHERE status_code >= 400), sum(response_time_ms)
          FROM stored GROUP BY 1, 2, 3, 4, 5
          ON CONFLICT (tenant_id, api_key_id, day, endpoint, method) DO UPDATE
          SET requests = d.requests + excluded.requests, errors = d.errors + excluded.errors,
              total_ms = d.total_ms + excluded.total_ms
        ), located AS (
          INSERT INTO api_key_usage_sources AS d (tenant_id, api_key_id, day, network, country, requests, errors)
          SELECT tenant_id, api_key_id, (created_at AT TIME ZONE 'UTC')::date,
                 network(set_masklen(ip_address, CASE family(ip_address) WHEN 4 THEN 24 ELSE 48 END)), country,
                 count(*), count(*) FILTER (WHERE status_code >= 400)
          FROM stored WHERE ip_address IS NOT NULL GROUP BY 1, 2, 3, 4, 5
          ON CONFLICT (tenant_id, api_key_id, day, network, country) DO UPDATE
          SET requests = d.requests + excluded.requests, errors = d.errors + excluded.errors
        ), used AS (
          UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, s.at)
          FROM (SELECT tenant_id, api_key_id, max(created_at) AS at FROM stored GROUP BY 1, 2) s
          WHERE k.tenant_id = s.tenant_id AND k.id = s.api_key_id
        )
        SELECT count(*) FROM stored
        """,
        {"rows": jsonb(rows)},
    )
