"""Who may read the pages of this function: anybody."""

from typing import Annotated

from penguinmails.http.access import public
from penguinmails.http.context import RequestContext

Anyone = Annotated[RequestContext, public()]
