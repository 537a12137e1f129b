"""AWS services: the only module that knows boto3, which it loads on first use.

Queue messages always carry the tenant as message group, so that a standard queue shares its consumers fairly among
tenants (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
"""

import json
from base64 import b64encode
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import RawIOBase
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from penguinmails.errors import ServiceUnavailable
from penguinmails.settings import ConfigurationError, get_settings

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_DELAY_SECONDS = 900
"""SQS delays a message for 15 minutes at most; emulators accept more, so we refuse it ourselves."""
_BATCH = 10
_CHUNK_BYTES = 1024 * 1024
_MOST_AT_ONCE = 1_000
_NO_SUCH_RANGE = 416
_NOT_FOUND = 404
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Message:
    """One queue message: a JSON document, the tenant whose turn it uses, and a delay in seconds (0 to 900)."""

    body: dict[str, Any]
    tenant_id: UUID
    delay_seconds: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.delay_seconds <= MAX_DELAY_SECONDS:
            raise ValueError(
                f"SQS delays by 0 to {MAX_DELAY_SECONDS} s, not {self.delay_seconds} s; keep it in the table."
            )


@lru_cache(maxsize=16)
def client(service: str, *, timeout_seconds: float = 5, attempts: int = 2) -> Any:
    """A boto3 client, made once per process, service and timing."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=get_settings().aws_endpoint_url or None,
        config=Config(
            connect_timeout=min(timeout_seconds, 1),
            read_timeout=timeout_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            **(_link_settings() if service == "s3" else {}),
        ),
    )


def _link_settings() -> dict[str, Any]:
    """Links are signed for the host they name: the region's own, since the global one only redirects there."""
    style = "path" if get_settings().aws_endpoint_url else "virtual"
    return {"signature_version": "s3v4", "s3": {"addressing_style": style}}


def send_messages(
    queue_url: str, messages: Sequence[Message], *, timeout_seconds: float = 5, attempts: int = 2
) -> list[int]:
    """Send in batches of ten; the positions of those that SQS did not take, in order. Raises when SQS is out of reach."""
    sqs = client("sqs", timeout_seconds=timeout_seconds, attempts=attempts)
    refused: list[int] = []
    for start in range(0, len(messages), _BATCH):
        entries: list[dict[str, Any]] = []
        for position, message in enumerate(messages[start : start + _BATCH], start):
            entry: dict[str, Any] = {
                "Id": str(position),
                "MessageBody": json.dumps(message.body, separators=(",", ":"), default=str),
                "MessageGroupId": str(message.tenant_id),
            }
            if message.delay_seconds:
                entry["DelaySeconds"] = message.delay_seconds
            entries.append(entry)
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused += sorted(int(failure["Id"]) for failure in answer.get("Failed", []))
    return refused


def stream_object(key: str, start: int = 0) -> Iterator[bytes]:
    """The bytes of a stored file from a position on, in chunks; none from its end on."""
    s3 = client("s3")
    try:
        body = s3.get_object(Bucket=_bucket(), Key=key, Range=f"bytes={start}-")["Body"]
    except s3.exceptions.ClientError as error:
        if _status(error) == _NO_SUCH_RANGE:
            return
        raise
    with body:
        yield from body.iter_chunks(_CHUNK_BYTES)


def object_size(key: str) -> int | None:
    """Bytes of a stored file; None when there is none. Raises ServiceUnavailable when S3 is out of reach."""
    with _reaching_files():
        s3 = client("s3")
        try:
            return s3.head_object(Bucket=_bucket(), Key=key)["ContentLength"]
        except s3.exceptions.ClientError as error:
            if _status(error) == _NOT_FOUND:
                return None
            raise


def read_object(key: str, size: int) -> bytes | None:
    """A stored file as a whole; None when there is none of that size. Raises ServiceUnavailable when S3 is out of reach."""
    with _reaching_files():
        s3 = client("s3")
        try:
            body = s3.get_object(Bucket=_bucket(), Key=key)["Body"]
        except s3.exceptions.ClientError as error:
            if _status(error) == _NOT_FOUND:
                return None
            raise
        with body:
            content: bytes = body.read(size + 1)
    return content if len(content) == size else None


def renew_object(key: str, content_type: str) -> None:
    """Write a stored file anew, so that it counts as young again; one that is not there does not matter."""
    s3, bucket = client("s3", timeout_seconds=60), _bucket()
    try:
        s3.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource={"Bucket": bucket, "Key": key},
            ContentType=content_type,
            MetadataDirective="REPLACE",
        )
    except s3.exceptions.ClientError as error:
        if _status(error) != _NOT_FOUND:
            raise


@contextmanager
def _reaching_files() -> Generator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and _status(error) < 500 and _status(error) != _TOO_MANY:
            raise
        raise ServiceUnavailable.retry_in(
            5, "The store of files cannot be reached. Nothing was changed; try again."
        ) from error


def _status(error: Any) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def store_object(key: str, body: bytes | IO[bytes], content_type: str) -> None:
    """Keep a file."""
    client("s3", timeout_seconds=60).put_object(Bucket=_bucket(), Key=key, Body=body, ContentType=content_type)


class ObjectWriter(RawIOBase):
    """A file in the bucket that is written from its begin to its end, of which one part at most is held in memory.

    Parts of 8 MB, ten thousand of which S3 takes, make 80 GB.
    """

    PART_BYTES = 8 * 1024 * 1024

    def __init__(self, key: str, content_type: str) -> None:
        self.size = 0
        self._place = {"Bucket": _bucket(), "Key": key}
        self._type = {"ContentType": content_type}
        self._s3 = client("s3", timeout_seconds=60, attempts=5)
        self._held = bytearray()
        self._upload: dict[str, str] = {}
        self._parts = list[dict[str, Any]]()

    def writable(self) -> bool:
        """It is for nothing else."""
        return True

    def write(self, data: "Buffer") -> int:
        """Add bytes; full parts are sent."""
        view = memoryview(data)
        for start in range(0, len(view), self.PART_BYTES):
            self._held += view[start : start + self.PART_BYTES]
            while len(self._held) >= self.PART_BYTES:
                self._send(self.PART_BYTES)
        self.size += len(view)
        return len(view)

    def _send(self, size: int) -> None:
        if not self._upload:
            begun = self._s3.create_multipart_upload(**self._place, **self._type)
            self._upload = {"UploadId": begun["UploadId"]}
        number, body = len(self._parts) + 1, bytes(self._held[:size])
        del self._held[:size]
        sent = self._s3.upload_part(**self._place, **self._upload, PartNumber=number, Body=body)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def complete(self) -> None:
        """Keep the file; until then there is none."""
        if not self._upload:
            self._s3.put_object(**self._place, **self._type, Body=bytes(self._held))
            return
        if self._held:
            self._send(len(self._held))
        self._s3.complete_multipart_upload(**self._place, **self._upload, MultipartUpload={"Parts": self._parts})

    def abandon(self) -> None:
        """Forget what was sent. What a killed process leaves, the bucket's rule removes after a day."""
        if self._upload:
            self._s3.abort_multipart_upload(**self._place, **self._upload)


@contextmanager
def object_writer(key: str, content_type: str) -> Generator[ObjectWriter]:
    """Write a file of any size into the bucket; an exception leaves none."""
    writer = ObjectWriter(key, content_type)
    try:
        yield writer
        writer.complete()
    except BaseException:
        writer.abandon()
        raise


def list_objects(prefix: str, limit: int) -> list[str]:
    """Keys of files that begin so, a thousand at most."""
    page = client("s3").list_objects_v2(Bucket=_bucket(), Prefix=prefix, MaxKeys=limit)
    return [found["Key"] for found in page.get("Contents", [])]


def delete_objects(keys: Sequence[str]) -> None:
    """Remove files; those that are not there do not matter."""
    for start in range(0, len(keys), _MOST_AT_ONCE):
        found = [{"Key": key} for key in keys[start : start + _MOST_AT_ONCE]]
        client("s3").delete_objects(Bucket=_bucket(), Delete={"Objects": found, "Quiet": True})


def upload_link(key: str, *, content_type: str, size: int, seconds: int) -> str:
    """A link that takes one PUT of exactly this type and size within so many seconds."""
    params = {"Bucket": _bucket(), "Key": key, "ContentType": content_type, "ContentLength": size}
    return client("s3").generate_presigned_url("put_object", Params=params, ExpiresIn=seconds)


def download_link(key: str, *, file_name: str, seconds: int) -> str:
    """A link that serves a file as an attachment of that name for so many seconds."""
    params = {"Bucket": _bucket(), "Key": key, "ResponseContentDisposition": f'attachment; filename="{file_name}"'}
    return client("s3").generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)


def _bucket() -> str:
    name = get_settings().files_bucket
    if not name:
        raise ConfigurationError("FILES_BUCKET is not set; the template gives it to functions that keep files.")
    return name


def decrypt_with_kms(ciphertext: bytes) -> bytes:
    """Open what was wrapped with a KMS key; the key is named by the ciphertext itself."""
    return client("kms", timeout_seconds=2).decrypt(CiphertextBlob=ciphertext)["Plaintext"]


def sign_caller_identity(server: str) -> dict[str, str]:
    """A signed sts:GetCallerIdentity request, by which Vault learns from AWS which role this function has.

    It is not sent: Vault sends it (https://developer.hashicorp.com/vault/api-docs/auth/aws#login). `server` is the Vault
    that it is meant for and part of what is signed. Raises ConfigurationError when the process has no AWS credentials.
    """
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise ConfigurationError("There are no AWS credentials to log in to Vault with; give the function a role.")
    url, body = "https://sts.amazonaws.com/", "Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("POST", url, data=body)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    request.headers["Host"] = "sts.amazonaws.com"
    request.headers["X-Vault-AWS-IAM-Server-ID"] = server
    # The global endpoint, which Vault asks unless told otherwise, takes signatures for this region only.
    SigV4Auth(credentials, "sts", "us-east-1").add_auth(request)
    headers = json.dumps({name: [value] for name, value in request.headers.items()})
    return {
        "iam_http_request_method": "POST",
        "iam_request_url": b64encode(url.encode()).decode(),
        "iam_request_body": b64encode(body.encode()).decode(),
        "iam_request_headers": b64encode(headers.encode()).decode(),
    }
