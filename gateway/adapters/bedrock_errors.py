"""Errors of AWS: their name stands in a header, or in the body, and tells what to do; ValidationException alone has many meanings.

Source: the errors of Converse (botocore's model of bedrock-runtime) and those of every API of AWS
(https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.adapters.base import ProviderError, name_of
from genlevel.runtime.errors import ErrorClass

AWS_CODES: dict[str, ErrorClass] = {
    "UnrecognizedClientException": ErrorClass.CREDENTIAL,
    "InvalidSignatureException": ErrorClass.CREDENTIAL,
    "SignatureDoesNotMatch": ErrorClass.CREDENTIAL,
    "IncompleteSignature": ErrorClass.CREDENTIAL,
    "IncompleteSignatureException": ErrorClass.CREDENTIAL,
    "InvalidClientTokenId": ErrorClass.CREDENTIAL,
    "MissingAuthenticationToken": ErrorClass.CREDENTIAL,
    "MissingAuthenticationTokenException": ErrorClass.CREDENTIAL,
    "ExpiredToken": ErrorClass.CREDENTIAL,
    "ExpiredTokenException": ErrorClass.CREDENTIAL,
    "RequestExpired": ErrorClass.CREDENTIAL,
    "OptInRequired": ErrorClass.MODEL_ACCESS,
    "NotAuthorized": ErrorClass.MODEL_ACCESS,
    "AccessDeniedException": ErrorClass.MODEL_ACCESS,
    "ServiceQuotaExceededException": ErrorClass.QUOTA,
    "ResourceNotFoundException": ErrorClass.MODEL_GONE,
    "ThrottlingException": ErrorClass.RATE_LIMIT,
    "TooManyRequestsException": ErrorClass.RATE_LIMIT,
    "ModelNotReadyException": ErrorClass.TRANSIENT,
    "ModelErrorException": ErrorClass.TRANSIENT,
    "ModelStreamErrorException": ErrorClass.TRANSIENT,
    "InternalServerException": ErrorClass.TRANSIENT,
    "InternalFailure": ErrorClass.TRANSIENT,
    "ServiceUnavailable": ErrorClass.TRANSIENT,
    "ServiceUnavailableException": ErrorClass.TRANSIENT,
    "ModelTimeoutException": ErrorClass.TIMEOUT,
    "ValidationException": ErrorClass.CALLER_FAULT,
    "ValidationError": ErrorClass.CALLER_FAULT,
}

# Recorded answers; each model's own words come through as "The model returned the following errors: ...".
AWS_WORDINGS: tuple[tuple[str, re.Pattern[str], ErrorClass], ...] = (
    (
        "ValidationException",
        re.compile(
            r"(?i)input tokens exceeded|(input|prompt) is too long|too many (input tokens|total text bytes)|maximum context length"
            r"|exceeds the context window|exceed context limit"
        ),
        ErrorClass.CONTEXT_TOO_LONG,
    ),
    (
        "ValidationException",
        re.compile(r"model identifier is invalid|on-demand throughput isn.t supported|end of its life"),
        ErrorClass.MODEL_GONE,
    ),
    (
        "ValidationException",
        re.compile(r"doesn't support the \S+ content block|doesn't support the s3Uri field"),
        ErrorClass.UNSUPPORTED,
    ),
    ("ValidationException", re.compile(r"^Operation not allowed"), ErrorClass.MODEL_ACCESS),
    ("ValidationException", re.compile(r"(?i)blocked by (our )?content filter"), ErrorClass.CONTENT_REFUSED),
    ("AccessDeniedException", re.compile(r"(?i)security token|signature|API key|bearer token\b|authentication"), ErrorClass.CREDENTIAL),
)

_BY_STATUS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
"""What a status means if no name came with it: proxies drop headers."""


def aws_error(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """The error in a body of AWS.

    >>> aws_error(400, {"message": "no"}, {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/"}).code
    'ThrottlingException'
    """
    found = body if isinstance(body, dict) else {}
    named = headers.get("x-amzn-errortype") or name_of(found.get("__type")) or name_of(found.get("code"))
    name = named.partition(":")[0].rpartition("#")[2]
    message = found.get("message") or found.get("Message") or (body if isinstance(body, str) else "")
    return ProviderError(
        status, code=name or _BY_STATUS.get(status, ""), message=message if isinstance(message, str) else "", headers=headers
    )


def stream_error(name: str, body: object) -> ProviderError:
    """The error that a stream tells of: its names begin with a small letter there. It had begun to answer."""
    return aws_error(200, {**(body if isinstance(body, dict) else {}), "__type": name[:1].upper() + name[1:]}, {})
