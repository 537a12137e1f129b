"""The mail catcher of the tests: what links in mails carry is secret."""

import re

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.services.mail import MailCatcher
from tests.support.secret_watch import remember


class WatchedMailCatcher(MailCatcher):
    """Remembers the tokens of the links that it receives."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """See MailCatcher."""
        answer = await super().handle_DATA(server, session, envelope)
        for token in re.findall(r"#token=(\S+)", self.all_mails()[-1].text):
            remember("link token", token)
        return answer
