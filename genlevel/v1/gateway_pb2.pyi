from genlevel.v1 import content_pb2 as _content_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_CLASS_UNSPECIFIED: _ClassVar[ErrorClass]
    ERROR_CLASS_CREDENTIAL: _ClassVar[ErrorClass]
    ERROR_CLASS_MODEL_ACCESS: _ClassVar[ErrorClass]
    ERROR_CLASS_QUOTA: _ClassVar[ErrorClass]
    ERROR_CLASS_MODEL_GONE: _ClassVar[ErrorClass]
    ERROR_CLASS_REGION_BLOCKED: _ClassVar[ErrorClass]
    ERROR_CLASS_RATE_LIMIT: _ClassVar[ErrorClass]
    ERROR_CLASS_CALLER_FAULT: _ClassVar[ErrorClass]
    ERROR_CLASS_CONTENT_REFUSED: _ClassVar[ErrorClass]
    ERROR_CLASS_CONTEXT_TOO_LONG: _ClassVar[ErrorClass]
    ERROR_CLASS_TRANSIENT: _ClassVar[ErrorClass]
    ERROR_CLASS_TIMEOUT: _ClassVar[ErrorClass]
    ERROR_CLASS_UNSUPPORTED: _ClassVar[ErrorClass]
    ERROR_CLASS_UNKNOWN: _ClassVar[ErrorClass]
    ERROR_CLASS_DENIED: _ClassVar[ErrorClass]
    ERROR_CLASS_NOT_SENT: _ClassVar[ErrorClass]
    ERROR_CLASS_TOO_LARGE: _ClassVar[ErrorClass]

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_STOP: _ClassVar[FinishReason]
    FINISH_REASON_LENGTH: _ClassVar[FinishReason]
    FINISH_REASON_CONTENT_FILTER: _ClassVar[FinishReason]
    FINISH_REASON_TOOL_CALLS: _ClassVar[FinishReason]
    FINISH_REASON_OTHER: _ClassVar[FinishReason]

class BatchState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_STATE_UNSPECIFIED: _ClassVar[BatchState]
    BATCH_STATE_WAITING: _ClassVar[BatchState]
    BATCH_STATE_RUNNING: _ClassVar[BatchState]
    BATCH_STATE_CANCELLING: _ClassVar[BatchState]
    BATCH_STATE_ENDED: _ClassVar[BatchState]
    BATCH_STATE_FAILED: _ClassVar[BatchState]
ERROR_CLASS_UNSPECIFIED: ErrorClass
ERROR_CLASS_CREDENTIAL: ErrorClass
ERROR_CLASS_MODEL_ACCESS: ErrorClass
ERROR_CLASS_QUOTA: ErrorClass
ERROR_CLASS_MODEL_GONE: ErrorClass
ERROR_CLASS_REGION_BLOCKED: ErrorClass
ERROR_CLASS_RATE_LIMIT: ErrorClass
ERROR_CLASS_CALLER_FAULT: ErrorClass
ERROR_CLASS_CONTENT_REFUSED: ErrorClass
ERROR_CLASS_CONTEXT_TOO_LONG: ErrorClass
ERROR_CLASS_TRANSIENT: ErrorClass
ERROR_CLASS_TIMEOUT: ErrorClass
ERROR_CLASS_UNSUPPORTED: ErrorClass
ERROR_CLASS_UNKNOWN: ErrorClass
ERROR_CLASS_DENIED: ErrorClass
ERROR_CLASS_NOT_SENT: ErrorClass
ERROR_CLASS_TOO_LARGE: ErrorClass
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_STOP: FinishReason
FINISH_REASON_LENGTH: FinishReason
FINISH_REASON_CONTENT_FILTER: FinishReason
FINISH_REASON_TOOL_CALLS: FinishReason
FINISH_REASON_OTHER: FinishReason
BATCH_STATE_UNSPECIFIED: BatchState
BATCH_STATE_WAITING: BatchState
BATCH_STATE_RUNNING: BatchState
BATCH_STATE_CANCELLING: BatchState
BATCH_STATE_ENDED: BatchState
BATCH_STATE_FAILED: BatchState

class GenerationParameters(_message.Message):
    __slots__ = ("temperature", "max_output_tokens", "top_p", "seed", "stop", "response_schema_json", "reasoning_effort", "reasoning_tokens", "logprobs", "presence_penalty", "frequency_penalty", "top_k")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    REASONING_EFFORT_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_PENALTY_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_PENALTY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    max_output_tokens: int
    top_p: float
    seed: int
    stop: _containers.RepeatedScalarFieldContainer[str]
    response_schema_json: str
    reasoning_effort: str
    reasoning_tokens: int
    logprobs: int
    presence_penalty: float
    frequency_penalty: float
    top_k: int
    def __init__(self, temperature: _Optional[float] = ..., max_output_tokens: _Optional[int] = ..., top_p: _Optional[float] = ..., seed: _Optional[int] = ..., stop: _Optional[_Iterable[str]] = ..., response_schema_json: _Optional[str] = ..., reasoning_effort: _Optional[str] = ..., reasoning_tokens: _Optional[int] = ..., logprobs: _Optional[int] = ..., presence_penalty: _Optional[float] = ..., frequency_penalty: _Optional[float] = ..., top_k: _Optional[int] = ...) -> None: ...

class Tool(_message.Message):
    __slots__ = ("name", "description", "parameters_json", "strict", "vendor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    parameters_json: str
    strict: bool
    vendor: _content_pb2.VendorPart
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., parameters_json: _Optional[str] = ..., strict: _Optional[bool] = ..., vendor: _Optional[_Union[_content_pb2.VendorPart, _Mapping]] = ...) -> None: ...

class ToolChoice(_message.Message):
    __slots__ = ("mode", "name", "parallel")
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MODE_UNSPECIFIED: _ClassVar[ToolChoice.Mode]
        MODE_AUTO: _ClassVar[ToolChoice.Mode]
        MODE_NONE: _ClassVar[ToolChoice.Mode]
        MODE_REQUIRED: _ClassVar[ToolChoice.Mode]
        MODE_NAMED: _ClassVar[ToolChoice.Mode]
    MODE_UNSPECIFIED: ToolChoice.Mode
    MODE_AUTO: ToolChoice.Mode
    MODE_NONE: ToolChoice.Mode
    MODE_REQUIRED: ToolChoice.Mode
    MODE_NAMED: ToolChoice.Mode
    MODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_FIELD_NUMBER: _ClassVar[int]
    mode: ToolChoice.Mode
    name: str
    parallel: bool
    def __init__(self, mode: _Optional[_Union[ToolChoice.Mode, str]] = ..., name: _Optional[str] = ..., parallel: _Optional[bool] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("route", "messages", "parameters", "output_modalities", "tools", "tool_choice", "extra_json", "droppable")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CHOICE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    DROPPABLE_FIELD_NUMBER: _ClassVar[int]
    route: str
    messages: _containers.RepeatedCompositeFieldContainer[_content_pb2.Message]
    parameters: GenerationParameters
    output_modalities: _containers.RepeatedScalarFieldContainer[_content_pb2.Modality]
    tools: _containers.RepeatedCompositeFieldContainer[Tool]
    tool_choice: ToolChoice
    extra_json: str
    droppable: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, route: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_content_pb2.Message, _Mapping]]] = ..., parameters: _Optional[_Union[GenerationParameters, _Mapping]] = ..., output_modalities: _Optional[_Iterable[_Union[_content_pb2.Modality, str]]] = ..., tools: _Optional[_Iterable[_Union[Tool, _Mapping]]] = ..., tool_choice: _Optional[_Union[ToolChoice, _Mapping]] = ..., extra_json: _Optional[str] = ..., droppable: _Optional[_Iterable[str]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "output_images", "output_milliseconds", "details")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_IMAGES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    output_images: int
    output_milliseconds: int
    details: UsageDetails
    def __init__(self, input_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., output_images: _Optional[int] = ..., output_milliseconds: _Optional[int] = ..., details: _Optional[_Union[UsageDetails, _Mapping]] = ...) -> None: ...

class UsageDetails(_message.Message):
    __slots__ = ("input_audio_tokens", "input_image_tokens", "output_audio_tokens", "output_image_tokens", "cache_write_hour_tokens", "input_milliseconds", "input_characters", "billed_nano_usd", "cache_read_audio_tokens")
    INPUT_AUDIO_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_AUDIO_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_HOUR_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    INPUT_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    BILLED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_AUDIO_TOKENS_FIELD_NUMBER: _ClassVar[int]
    input_audio_tokens: int
    input_image_tokens: int
    output_audio_tokens: int
    output_image_tokens: int
    cache_write_hour_tokens: int
    input_milliseconds: int
    input_characters: int
    billed_nano_usd: int
    cache_read_audio_tokens: int
    def __init__(self, input_audio_tokens: _Optional[int] = ..., input_image_tokens: _Optional[int] = ..., output_audio_tokens: _Optional[int] = ..., output_image_tokens: _Optional[int] = ..., cache_write_hour_tokens: _Optional[int] = ..., input_milliseconds: _Optional[int] = ..., input_characters: _Optional[int] = ..., billed_nano_usd: _Optional[int] = ..., cache_read_audio_tokens: _Optional[int] = ...) -> None: ...

class Charge(_message.Message):
    __slots__ = ("usage", "cost_nano_usd")
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    usage: Usage
    cost_nano_usd: int
    def __init__(self, usage: _Optional[_Union[Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ...) -> None: ...

class NamedTimes(_message.Message):
    __slots__ = ("shorter_s", "reset_s")
    SHORTER_S_FIELD_NUMBER: _ClassVar[int]
    RESET_S_FIELD_NUMBER: _ClassVar[int]
    shorter_s: float
    reset_s: float
    def __init__(self, shorter_s: _Optional[float] = ..., reset_s: _Optional[float] = ...) -> None: ...

class ProviderLimit(_message.Message):
    __slots__ = ("dimension", "remaining", "reset_s")
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    RESET_S_FIELD_NUMBER: _ClassVar[int]
    dimension: str
    remaining: int
    reset_s: float
    def __init__(self, dimension: _Optional[str] = ..., remaining: _Optional[int] = ..., reset_s: _Optional[float] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("parts", "finish_reason", "usage", "cost_nano_usd", "provider", "model", "response_id", "applied_parameters", "upstream_s", "overhead_s", "usage_incomplete", "limits", "provider_fingerprint", "dropped_parameters", "logprobs", "first_piece_s", "usage_estimated")
    PARTS_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    APPLIED_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_S_FIELD_NUMBER: _ClassVar[int]
    OVERHEAD_S_FIELD_NUMBER: _ClassVar[int]
    USAGE_INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    FIRST_PIECE_S_FIELD_NUMBER: _ClassVar[int]
    USAGE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[_content_pb2.Part]
    finish_reason: FinishReason
    usage: Usage
    cost_nano_usd: int
    provider: str
    model: str
    response_id: str
    applied_parameters: GenerationParameters
    upstream_s: float
    overhead_s: float
    usage_incomplete: bool
    limits: _containers.RepeatedCompositeFieldContainer[ProviderLimit]
    provider_fingerprint: str
    dropped_parameters: _containers.RepeatedScalarFieldContainer[str]
    logprobs: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    first_piece_s: float
    usage_estimated: bool
    def __init__(self, parts: _Optional[_Iterable[_Union[_content_pb2.Part, _Mapping]]] = ..., finish_reason: _Optional[_Union[FinishReason, str]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ..., provider: _Optional[str] = ..., model: _Optional[str] = ..., response_id: _Optional[str] = ..., applied_parameters: _Optional[_Union[GenerationParameters, _Mapping]] = ..., upstream_s: _Optional[float] = ..., overhead_s: _Optional[float] = ..., usage_incomplete: _Optional[bool] = ..., limits: _Optional[_Iterable[_Union[ProviderLimit, _Mapping]]] = ..., provider_fingerprint: _Optional[str] = ..., dropped_parameters: _Optional[_Iterable[str]] = ..., logprobs: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ..., first_piece_s: _Optional[float] = ..., usage_estimated: _Optional[bool] = ...) -> None: ...

class TokenLogprob(_message.Message):
    __slots__ = ("token", "logprob", "top")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    token: str
    logprob: float
    top: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    def __init__(self, token: _Optional[str] = ..., logprob: _Optional[float] = ..., top: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ...) -> None: ...

class GenerateStreamRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: GenerateRequest
    def __init__(self, request: _Optional[_Union[GenerateRequest, _Mapping]] = ...) -> None: ...

class GenerateStreamResponse(_message.Message):
    __slots__ = ("pieces", "response")
    PIECES_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    pieces: _containers.RepeatedCompositeFieldContainer[_content_pb2.Part]
    response: GenerateResponse
    def __init__(self, pieces: _Optional[_Iterable[_Union[_content_pb2.Part, _Mapping]]] = ..., response: _Optional[_Union[GenerateResponse, _Mapping]] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("id", "key", "state", "total", "answered", "failed", "created_s", "expires_s", "problem", "cut_short", "problem_class")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    CREATED_S_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_S_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    CUT_SHORT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_CLASS_FIELD_NUMBER: _ClassVar[int]
    id: str
    key: str
    state: BatchState
    total: int
    answered: int
    failed: int
    created_s: float
    expires_s: float
    problem: str
    cut_short: str
    problem_class: ErrorClass
    def __init__(self, id: _Optional[str] = ..., key: _Optional[str] = ..., state: _Optional[_Union[BatchState, str]] = ..., total: _Optional[int] = ..., answered: _Optional[int] = ..., failed: _Optional[int] = ..., created_s: _Optional[float] = ..., expires_s: _Optional[float] = ..., problem: _Optional[str] = ..., cut_short: _Optional[str] = ..., problem_class: _Optional[_Union[ErrorClass, str]] = ...) -> None: ...

class BatchItem(_message.Message):
    __slots__ = ("id", "request")
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    id: str
    request: GenerateRequest
    def __init__(self, id: _Optional[str] = ..., request: _Optional[_Union[GenerateRequest, _Mapping]] = ...) -> None: ...

class SubmitBatchRequest(_message.Message):
    __slots__ = ("route", "key", "items")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    route: str
    key: str
    items: _containers.RepeatedCompositeFieldContainer[BatchItem]
    def __init__(self, route: _Optional[str] = ..., key: _Optional[str] = ..., items: _Optional[_Iterable[_Union[BatchItem, _Mapping]]] = ...) -> None: ...

class SubmitBatchResponse(_message.Message):
    __slots__ = ("batch", "rejected")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    rejected: _containers.RepeatedCompositeFieldContainer[BatchResult]
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ..., rejected: _Optional[_Iterable[_Union[BatchResult, _Mapping]]] = ...) -> None: ...

class GetBatchRequest(_message.Message):
    __slots__ = ("route", "id")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    route: str
    id: str
    def __init__(self, route: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class GetBatchResponse(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class CancelBatchRequest(_message.Message):
    __slots__ = ("route", "id")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    route: str
    id: str
    def __init__(self, route: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class CancelBatchResponse(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class CollectBatchRequest(_message.Message):
    __slots__ = ("route", "id", "asked")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    route: str
    id: str
    asked: _containers.RepeatedCompositeFieldContainer[AskedParameters]
    def __init__(self, route: _Optional[str] = ..., id: _Optional[str] = ..., asked: _Optional[_Iterable[_Union[AskedParameters, _Mapping]]] = ...) -> None: ...

class AskedParameters(_message.Message):
    __slots__ = ("ids", "parameters", "droppable")
    IDS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    DROPPABLE_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    parameters: GenerationParameters
    droppable: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., parameters: _Optional[_Union[GenerationParameters, _Mapping]] = ..., droppable: _Optional[_Iterable[str]] = ...) -> None: ...

class FindBatchesRequest(_message.Message):
    __slots__ = ("route", "key", "since_s")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SINCE_S_FIELD_NUMBER: _ClassVar[int]
    route: str
    key: str
    since_s: float
    def __init__(self, route: _Optional[str] = ..., key: _Optional[str] = ..., since_s: _Optional[float] = ...) -> None: ...

class FindBatchesResponse(_message.Message):
    __slots__ = ("batches",)
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[Batch]
    def __init__(self, batches: _Optional[_Iterable[_Union[Batch, _Mapping]]] = ...) -> None: ...

class BatchResult(_message.Message):
    __slots__ = ("id", "response", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    response: GenerateResponse
    error: _status_pb2.Status
    def __init__(self, id: _Optional[str] = ..., response: _Optional[_Union[GenerateResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class CollectBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchResult, _Mapping]]] = ...) -> None: ...

class BatchLimits(_message.Message):
    __slots__ = ("items", "bytes", "price_factor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    PRICE_FACTOR_FIELD_NUMBER: _ClassVar[int]
    items: int
    bytes: int
    price_factor: str
    def __init__(self, items: _Optional[int] = ..., bytes: _Optional[int] = ..., price_factor: _Optional[str] = ...) -> None: ...

class GenerateManyItem(_message.Message):
    __slots__ = ("id", "timeout_s", "request")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    id: int
    timeout_s: float
    request: GenerateRequest
    def __init__(self, id: _Optional[int] = ..., timeout_s: _Optional[float] = ..., request: _Optional[_Union[GenerateRequest, _Mapping]] = ...) -> None: ...

class GenerateManyRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[GenerateManyItem]
    def __init__(self, items: _Optional[_Iterable[_Union[GenerateManyItem, _Mapping]]] = ...) -> None: ...

class GenerateManyResult(_message.Message):
    __slots__ = ("id", "response", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: int
    response: GenerateResponse
    error: _status_pb2.Status
    def __init__(self, id: _Optional[int] = ..., response: _Optional[_Union[GenerateResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class GenerateManyResponse(_message.Message):
    __slots__ = ("results", "stopping")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    STOPPING_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[GenerateManyResult]
    stopping: bool
    def __init__(self, results: _Optional[_Iterable[_Union[GenerateManyResult, _Mapping]]] = ..., stopping: _Optional[bool] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("input", "output", "cache_read", "cache_write", "long_context_above_tokens", "long_context_input_factor", "long_context_output_factor", "per_image", "per_second", "per_call", "image_input", "audio_input", "image_output", "audio_output", "cache_write_hour", "per_input_second", "characters", "source", "as_of", "cache_read_audio")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_FIELD_NUMBER: _ClassVar[int]
    LONG_CONTEXT_ABOVE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    LONG_CONTEXT_INPUT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    LONG_CONTEXT_OUTPUT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    PER_IMAGE_FIELD_NUMBER: _ClassVar[int]
    PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    PER_CALL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_INPUT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_HOUR_FIELD_NUMBER: _ClassVar[int]
    PER_INPUT_SECOND_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_AUDIO_FIELD_NUMBER: _ClassVar[int]
    input: str
    output: str
    cache_read: str
    cache_write: str
    long_context_above_tokens: int
    long_context_input_factor: str
    long_context_output_factor: str
    per_image: str
    per_second: str
    per_call: str
    image_input: str
    audio_input: str
    image_output: str
    audio_output: str
    cache_write_hour: str
    per_input_second: str
    characters: str
    source: str
    as_of: str
    cache_read_audio: str
    def __init__(self, input: _Optional[str] = ..., output: _Optional[str] = ..., cache_read: _Optional[str] = ..., cache_write: _Optional[str] = ..., long_context_above_tokens: _Optional[int] = ..., long_context_input_factor: _Optional[str] = ..., long_context_output_factor: _Optional[str] = ..., per_image: _Optional[str] = ..., per_second: _Optional[str] = ..., per_call: _Optional[str] = ..., image_input: _Optional[str] = ..., audio_input: _Optional[str] = ..., image_output: _Optional[str] = ..., audio_output: _Optional[str] = ..., cache_write_hour: _Optional[str] = ..., per_input_second: _Optional[str] = ..., characters: _Optional[str] = ..., source: _Optional[str] = ..., as_of: _Optional[str] = ..., cache_read_audio: _Optional[str] = ...) -> None: ...

class RateLimits(_message.Message):
    __slots__ = ("requests_per_minute", "tokens_per_minute", "concurrency")
    REQUESTS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    requests_per_minute: int
    tokens_per_minute: int
    concurrency: int
    def __init__(self, requests_per_minute: _Optional[int] = ..., tokens_per_minute: _Optional[int] = ..., concurrency: _Optional[int] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("route", "provider", "model", "account", "input_modalities", "output_modalities", "price", "charges", "context_tokens", "limits", "ready", "problem", "parameter_note", "max_tokens_per_image", "extra_output_tokens", "structured_output", "max_output_tokens_per_image", "max_output_seconds", "video_frames", "fingerprint", "keyed", "takes_seed", "boxes", "batch", "nearest_priced", "parameters")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    INPUT_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_NOTE_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_PER_IMAGE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STRUCTURED_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_PER_IMAGE_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FRAMES_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    KEYED_FIELD_NUMBER: _ClassVar[int]
    TAKES_SEED_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    NEAREST_PRICED_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    route: str
    provider: str
    model: str
    account: str
    input_modalities: _containers.RepeatedScalarFieldContainer[_content_pb2.Modality]
    output_modalities: _containers.RepeatedScalarFieldContainer[_content_pb2.Modality]
    price: Price
    charges: bool
    context_tokens: int
    limits: RateLimits
    ready: bool
    problem: str
    parameter_note: str
    max_tokens_per_image: int
    extra_output_tokens: int
    structured_output: bool
    max_output_tokens_per_image: int
    max_output_seconds: float
    video_frames: int
    fingerprint: str
    keyed: bool
    takes_seed: bool
    boxes: str
    batch: BatchLimits
    nearest_priced: _containers.RepeatedScalarFieldContainer[str]
    parameters: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, route: _Optional[str] = ..., provider: _Optional[str] = ..., model: _Optional[str] = ..., account: _Optional[str] = ..., input_modalities: _Optional[_Iterable[_Union[_content_pb2.Modality, str]]] = ..., output_modalities: _Optional[_Iterable[_Union[_content_pb2.Modality, str]]] = ..., price: _Optional[_Union[Price, _Mapping]] = ..., charges: _Optional[bool] = ..., context_tokens: _Optional[int] = ..., limits: _Optional[_Union[RateLimits, _Mapping]] = ..., ready: _Optional[bool] = ..., problem: _Optional[str] = ..., parameter_note: _Optional[str] = ..., max_tokens_per_image: _Optional[int] = ..., extra_output_tokens: _Optional[int] = ..., structured_output: _Optional[bool] = ..., max_output_tokens_per_image: _Optional[int] = ..., max_output_seconds: _Optional[float] = ..., video_frames: _Optional[int] = ..., fingerprint: _Optional[str] = ..., keyed: _Optional[bool] = ..., takes_seed: _Optional[bool] = ..., boxes: _Optional[str] = ..., batch: _Optional[_Union[BatchLimits, _Mapping]] = ..., nearest_priced: _Optional[_Iterable[str]] = ..., parameters: _Optional[_Iterable[str]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("route",)
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    route: str
    def __init__(self, route: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ...) -> None: ...
