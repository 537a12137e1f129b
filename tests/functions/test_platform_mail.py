"""The platform's own mail: tried again while there is hope, never lost with a queue message."""

from uuid import uuid4

from local.services.mail import MailCatcher
from penguinmails.db import transaction
from penguinmails.domain.platform_mail import compose, queue_mail
from send_platform_mail.app import handler as send
from sweep_platform_mail.app import handler as sweep
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestTenant


def queue(tenant: TestTenant, email: str) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE users SET email = %(email)s", {"email": email})
        queue_mail(tx, user_id=tenant.owner_id, mail_type="reset_password", dedupe_key=str(uuid4()))


def make_due(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE mail_outbox SET next_attempt_at = now() - interval '1 minute'", {})


def mail_row(tenant: TestTenant) -> dict[str, object]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT row_to_json(m) FROM mail_outbox m", {})


def test_a_mail_whose_queue_message_was_lost_is_sent_by_the_sweep(
    tenant: TestTenant, mail_catcher: MailCatcher
) -> None:
    email = f"{uuid4().hex}@example.com"
    queue(tenant, email)
    messages_for("platform_mail", tenant.id)
    make_due(tenant)

    run_job(sweep)
    assert consume(send, *messages_for("platform_mail", tenant.id)) == []

    assert len(mail_catcher.mails_to(email)) == 1
    assert mail_row(tenant)["status"] == "sent"


def test_a_temporary_refusal_is_tried_again_later(tenant: TestTenant) -> None:
    queue(tenant, f"tempfail-{uuid4().hex}@example.com")
    consume(send, *messages_for("platform_mail", tenant.id))

    row = mail_row(tenant)
    assert (row["status"], row["attempts"]) == ("queued", 1)
    assert "451" in str(row["last_error"])

    make_due(tenant)
    run_job(sweep)
    consume(send, *messages_for("platform_mail", tenant.id))
    assert mail_row(tenant)["attempts"] == 2


def test_a_permanent_refusal_is_final(tenant: TestTenant) -> None:
    queue(tenant, f"reject-{uuid4().hex}@example.com")
    consume(send, *messages_for("platform_mail", tenant.id))

    assert mail_row(tenant)["status"] == "failed"


def test_a_subject_says_what_it_is_about() -> None:
    variables = {"provider": "Postmark", "campaign": "Spring", "reason": "no"}

    mail = compose("provider_refused", name="Ada", token=None, variables=variables)

    assert mail.subject == "A campaign was stopped: Postmark takes no mail"
