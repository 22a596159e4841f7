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

class GenerationParameters(_message.Message):
    __slots__ = ("temperature", "max_output_tokens", "top_p", "seed", "stop", "response_schema_json")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    max_output_tokens: int
    top_p: float
    seed: int
    stop: _containers.RepeatedScalarFieldContainer[str]
    response_schema_json: str
    def __init__(self, temperature: _Optional[float] = ..., max_output_tokens: _Optional[int] = ..., top_p: _Optional[float] = ..., seed: _Optional[int] = ..., stop: _Optional[_Iterable[str]] = ..., response_schema_json: _Optional[str] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("route", "messages", "parameters", "output_modalities")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    route: str
    messages: _containers.RepeatedCompositeFieldContainer[_content_pb2.Message]
    parameters: GenerationParameters
    output_modalities: _containers.RepeatedScalarFieldContainer[_content_pb2.Modality]
    def __init__(self, route: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_content_pb2.Message, _Mapping]]] = ..., parameters: _Optional[_Union[GenerationParameters, _Mapping]] = ..., output_modalities: _Optional[_Iterable[_Union[_content_pb2.Modality, str]]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "output_images", "output_milliseconds")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_IMAGES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    output_images: int
    output_milliseconds: int
    def __init__(self, input_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., output_images: _Optional[int] = ..., output_milliseconds: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("parts", "finish_reason", "usage", "cost_nano_usd", "provider", "model", "response_id", "applied_parameters", "upstream_s", "overhead_s", "usage_incomplete", "limits", "provider_fingerprint")
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
    def __init__(self, parts: _Optional[_Iterable[_Union[_content_pb2.Part, _Mapping]]] = ..., finish_reason: _Optional[_Union[FinishReason, str]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ..., provider: _Optional[str] = ..., model: _Optional[str] = ..., response_id: _Optional[str] = ..., applied_parameters: _Optional[_Union[GenerationParameters, _Mapping]] = ..., upstream_s: _Optional[float] = ..., overhead_s: _Optional[float] = ..., usage_incomplete: _Optional[bool] = ..., limits: _Optional[_Iterable[_Union[ProviderLimit, _Mapping]]] = ..., provider_fingerprint: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("input", "output", "cache_read", "cache_write", "long_context_above_tokens", "long_context_input_factor", "long_context_output_factor", "per_image", "per_second", "per_call", "image_input")
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
    def __init__(self, input: _Optional[str] = ..., output: _Optional[str] = ..., cache_read: _Optional[str] = ..., cache_write: _Optional[str] = ..., long_context_above_tokens: _Optional[int] = ..., long_context_input_factor: _Optional[str] = ..., long_context_output_factor: _Optional[str] = ..., per_image: _Optional[str] = ..., per_second: _Optional[str] = ..., per_call: _Optional[str] = ..., image_input: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("route", "provider", "model", "account", "input_modalities", "output_modalities", "price", "charges", "context_tokens", "limits", "ready", "problem", "parameter_note", "max_tokens_per_image", "extra_output_tokens", "structured_output", "max_output_tokens_per_image", "max_output_seconds", "video_frames", "fingerprint", "keyed", "takes_seed", "boxes")
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
    def __init__(self, route: _Optional[str] = ..., provider: _Optional[str] = ..., model: _Optional[str] = ..., account: _Optional[str] = ..., input_modalities: _Optional[_Iterable[_Union[_content_pb2.Modality, str]]] = ..., output_modalities: _Optional[_Iterable[_Union[_content_pb2.Modality, str]]] = ..., price: _Optional[_Union[Price, _Mapping]] = ..., charges: _Optional[bool] = ..., context_tokens: _Optional[int] = ..., limits: _Optional[_Union[RateLimits, _Mapping]] = ..., ready: _Optional[bool] = ..., problem: _Optional[str] = ..., parameter_note: _Optional[str] = ..., max_tokens_per_image: _Optional[int] = ..., extra_output_tokens: _Optional[int] = ..., structured_output: _Optional[bool] = ..., max_output_tokens_per_image: _Optional[int] = ..., max_output_seconds: _Optional[float] = ..., video_frames: _Optional[int] = ..., fingerprint: _Optional[str] = ..., keyed: _Optional[bool] = ..., takes_seed: _Optional[bool] = ..., boxes: _Optional[str] = ...) -> None: ...

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
