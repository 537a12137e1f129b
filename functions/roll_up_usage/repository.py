"""SQL of the usage roll-up."""

from penguinmails.db import Tx


def set_percentiles(tx: Tx, batch: int) -> int:
    """Compute the 95th percentile of response times for days that are over."""
    return tx.run(
        """
        UPDATE api_key_usage_daily d
        SET p95_ms = coalesce((
          SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY u.response_time_ms) FROM api_key_usage u
          WHERE u.tenant_id = d.tenant_id AND u.api_key_id = d.api_key_id AND u.endpoint = d.endpoint
            AND u.method = d.method AND u.created_at >= d.day::timestamp AT TIME ZONE 'UTC'
            AND u.created_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'), 0)
        WHERE (d.tenant_id, d.api_key_id, d.day, d.endpoint, d.method) IN (
          SELECT tenant_id, api_key_id, day, endpoint, method FROM api_key_usage_daily
          WHERE p95_ms IS NULL AND day < (now() AT TIME ZONE 'UTC')::date LIMIT %(batch)s)
        """,
        {"batch": batch},
    )


def shorten_addresses(tx: Tx, batch: int) -> int:
    """After 30 days keep the network of an address only: /24 of IPv4, /48 of IPv6."""
    return tx.run(
        """
        UPDATE api_key_usage u
        SET ip_address = set_masklen(network(set_masklen(u.ip_address,
              CASE family(u.ip_address) WHEN 4 THEN 24 ELSE 48 END))::inet,
              CASE family(u.ip_address) WHEN 4 THEN 24 ELSE 48 END)
        WHERE (u.tenant_id, u.id, u.created_at) IN (
          SELECT tenant_id, id, created_at FROM api_key_usage
          WHERE created_at < now() - interval '30 days'
            AND masklen(ip_address) > CASE family(ip_address) WHEN 4 THEN 24 ELSE 48 END
          LIMIT %(batch)s)
        """,
        {"batch": batch},
    )


def drop_old_sources(tx: Tx, batch: int) -> int:
    """Forget where calls came from after 25 months."""
    return tx.run(
        """
        DELETE FROM api_key_usage_sources
        WHERE (tenant_id, api_key_id, day, network, country) IN (
          SELECT tenant_id, api_key_id, day, network, country FROM api_key_usage_sources
          WHERE day < (now() AT TIME ZONE 'UTC')::date - interval '25 months' LIMIT %(batch)s)
        """,
        {"batch": batch},
    )


def drop_old_figures(tx: Tx, batch: int) -> int:
    """Forget daily figures after 25 months."""
    return tx.run(
        """
        DELETE FROM api_key_usage_daily
        WHERE (tenant_id, api_key_id, day, endpoint, method) IN (
          SELECT tenant_id, api_key_id, day, endpoint, method FROM api_key_usage_daily
          WHERE day < (now() AT TIME ZONE 'UTC')::date - interval '25 months' LIMIT %(batch)s)
        """,
        {"batch": batch},
    )
