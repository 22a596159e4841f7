from genlevel.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ANSWERED: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
    OUTCOME_UNSUPPORTED: _ClassVar[Outcome]
    OUTCOME_PENDING: _ClassVar[Outcome]
    OUTCOME_UNPARSABLE: _ClassVar[Outcome]

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_ATTAINED: _ClassVar[Decision]
    DECISION_NOT_ATTAINED: _ClassVar[Decision]
    DECISION_UNDECIDED: _ClassVar[Decision]

class Reading(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READING_UNSPECIFIED: _ClassVar[Reading]
    READING_PUBLISHED: _ClassVar[Reading]
    READING_SPECIALISTS: _ClassVar[Reading]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ANSWERED: Outcome
OUTCOME_REFUSED: Outcome
OUTCOME_FAILED: Outcome
OUTCOME_UNSUPPORTED: Outcome
OUTCOME_PENDING: Outcome
OUTCOME_UNPARSABLE: Outcome
DECISION_UNSPECIFIED: Decision
DECISION_ATTAINED: Decision
DECISION_NOT_ATTAINED: Decision
DECISION_UNDECIDED: Decision
READING_UNSPECIFIED: Reading
READING_PUBLISHED: Reading
READING_SPECIALISTS: Reading

class TaskDescription(_message.Message):
    __slots__ = ("key", "name", "sheet", "modality", "paradigm", "metric", "metric_label", "metric_parameters", "unlisted", "reference", "rating_source", "provenance", "fingerprint", "content")
    class MetricParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHEET_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    PARADIGM_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    METRIC_LABEL_FIELD_NUMBER: _ClassVar[int]
    METRIC_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    UNLISTED_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    RATING_SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    key: str
    name: str
    sheet: str
    modality: str
    paradigm: str
    metric: str
    metric_label: str
    metric_parameters: _containers.ScalarMap[str, str]
    unlisted: bool
    reference: float
    rating_source: RatingSource
    provenance: str
    fingerprint: str
    content: str
    def __init__(self, key: _Optional[str] = ..., name: _Optional[str] = ..., sheet: _Optional[str] = ..., modality: _Optional[str] = ..., paradigm: _Optional[str] = ..., metric: _Optional[str] = ..., metric_label: _Optional[str] = ..., metric_parameters: _Optional[_Mapping[str, str]] = ..., unlisted: _Optional[bool] = ..., reference: _Optional[float] = ..., rating_source: _Optional[_Union[RatingSource, _Mapping]] = ..., provenance: _Optional[str] = ..., fingerprint: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class RatingSource(_message.Message):
    __slots__ = ("kind", "judge", "prompt_version", "prompt_hash", "rated", "failed", "pending", "agreement")
    KIND_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_HASH_FIELD_NUMBER: _ClassVar[int]
    RATED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    judge: str
    prompt_version: str
    prompt_hash: str
    rated: int
    failed: int
    pending: int
    agreement: RatingAgreement
    def __init__(self, kind: _Optional[str] = ..., judge: _Optional[str] = ..., prompt_version: _Optional[str] = ..., prompt_hash: _Optional[str] = ..., rated: _Optional[int] = ..., failed: _Optional[int] = ..., pending: _Optional[int] = ..., agreement: _Optional[_Union[RatingAgreement, _Mapping]] = ...) -> None: ...

class RatingAgreement(_message.Message):
    __slots__ = ("instances", "pearson", "kendall", "mean_difference", "standard_error")
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    PEARSON_FIELD_NUMBER: _ClassVar[int]
    KENDALL_FIELD_NUMBER: _ClassVar[int]
    MEAN_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
    instances: int
    pearson: float
    kendall: float
    mean_difference: float
    standard_error: float
    def __init__(self, instances: _Optional[int] = ..., pearson: _Optional[float] = ..., kendall: _Optional[float] = ..., mean_difference: _Optional[float] = ..., standard_error: _Optional[float] = ...) -> None: ...

class ScoreTaskHeader(_message.Message):
    __slots__ = ("run_id", "model", "suite", "benchmark", "task", "partial", "benchmark_tasks", "suite_hash", "part", "plan", "facts")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_TASKS_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model: str
    suite: str
    benchmark: str
    task: TaskDescription
    partial: bool
    benchmark_tasks: _containers.RepeatedCompositeFieldContainer[TaskDescription]
    suite_hash: str
    part: bool
    plan: int
    facts: RunFacts
    def __init__(self, run_id: _Optional[str] = ..., model: _Optional[str] = ..., suite: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[_Union[TaskDescription, _Mapping]] = ..., partial: _Optional[bool] = ..., benchmark_tasks: _Optional[_Iterable[_Union[TaskDescription, _Mapping]]] = ..., suite_hash: _Optional[str] = ..., part: _Optional[bool] = ..., plan: _Optional[int] = ..., facts: _Optional[_Union[RunFacts, _Mapping]] = ...) -> None: ...

class RunFacts(_message.Message):
    __slots__ = ("version", "commit", "provider", "provider_model", "route_fingerprint", "prompt_version", "limit", "seed", "tasks", "parts", "models", "parameters", "task_plans", "occasion", "chosen", "price")
    class TaskPlansEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MODEL_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    TASK_PLANS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    version: str
    commit: str
    provider: str
    provider_model: str
    route_fingerprint: str
    prompt_version: str
    limit: int
    seed: int
    tasks: str
    parts: _containers.RepeatedScalarFieldContainer[str]
    models: _containers.RepeatedCompositeFieldContainer[CountedText]
    parameters: _containers.RepeatedCompositeFieldContainer[CountedText]
    task_plans: _containers.ScalarMap[str, int]
    occasion: str
    chosen: str
    price: str
    def __init__(self, version: _Optional[str] = ..., commit: _Optional[str] = ..., provider: _Optional[str] = ..., provider_model: _Optional[str] = ..., route_fingerprint: _Optional[str] = ..., prompt_version: _Optional[str] = ..., limit: _Optional[int] = ..., seed: _Optional[int] = ..., tasks: _Optional[str] = ..., parts: _Optional[_Iterable[str]] = ..., models: _Optional[_Iterable[_Union[CountedText, _Mapping]]] = ..., parameters: _Optional[_Iterable[_Union[CountedText, _Mapping]]] = ..., task_plans: _Optional[_Mapping[str, int]] = ..., occasion: _Optional[str] = ..., chosen: _Optional[str] = ..., price: _Optional[str] = ...) -> None: ...

class CountedText(_message.Message):
    __slots__ = ("text", "answers")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    text: str
    answers: int
    def __init__(self, text: _Optional[str] = ..., answers: _Optional[int] = ...) -> None: ...

class PendingTask(_message.Message):
    __slots__ = ("task", "instances")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    task: TaskDescription
    instances: int
    def __init__(self, task: _Optional[_Union[TaskDescription, _Mapping]] = ..., instances: _Optional[int] = ...) -> None: ...

class BeginRunRequest(_message.Message):
    __slots__ = ("header", "tasks")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    header: ScoreTaskHeader
    tasks: _containers.RepeatedCompositeFieldContainer[PendingTask]
    def __init__(self, header: _Optional[_Union[ScoreTaskHeader, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[PendingTask, _Mapping]]] = ...) -> None: ...

class BeginRunResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class File(_message.Message):
    __slots__ = ("mime_type", "path", "blob")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    path: str
    blob: _content_pb2.BlobReference
    def __init__(self, mime_type: _Optional[str] = ..., path: _Optional[str] = ..., blob: _Optional[_Union[_content_pb2.BlobReference, _Mapping]] = ...) -> None: ...

class InstanceAnswer(_message.Message):
    __slots__ = ("id", "outcome", "raw_answer", "answer_type", "label_json", "options", "cluster", "files", "prompt", "inputs", "details", "ratings", "compared_ratings", "rating_outcome", "variant", "repeat", "shuffle", "picture", "sent", "boxes")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RAW_ANSWER_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TYPE_FIELD_NUMBER: _ClassVar[int]
    LABEL_JSON_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    RATINGS_FIELD_NUMBER: _ClassVar[int]
    COMPARED_RATINGS_FIELD_NUMBER: _ClassVar[int]
    RATING_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    id: str
    outcome: Outcome
    raw_answer: str
    answer_type: str
    label_json: str
    options: _containers.RepeatedScalarFieldContainer[str]
    cluster: str
    files: _containers.RepeatedCompositeFieldContainer[File]
    prompt: str
    inputs: _containers.RepeatedCompositeFieldContainer[File]
    details: _containers.ScalarMap[str, str]
    ratings: _containers.RepeatedScalarFieldContainer[float]
    compared_ratings: _containers.RepeatedScalarFieldContainer[float]
    rating_outcome: Outcome
    variant: int
    repeat: int
    shuffle: int
    picture: PictureSize
    sent: PictureSize
    boxes: str
    def __init__(self, id: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., raw_answer: _Optional[str] = ..., answer_type: _Optional[str] = ..., label_json: _Optional[str] = ..., options: _Optional[_Iterable[str]] = ..., cluster: _Optional[str] = ..., files: _Optional[_Iterable[_Union[File, _Mapping]]] = ..., prompt: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[File, _Mapping]]] = ..., details: _Optional[_Mapping[str, str]] = ..., ratings: _Optional[_Iterable[float]] = ..., compared_ratings: _Optional[_Iterable[float]] = ..., rating_outcome: _Optional[_Union[Outcome, str]] = ..., variant: _Optional[int] = ..., repeat: _Optional[int] = ..., shuffle: _Optional[int] = ..., picture: _Optional[_Union[PictureSize, _Mapping]] = ..., sent: _Optional[_Union[PictureSize, _Mapping]] = ..., boxes: _Optional[str] = ...) -> None: ...

class PictureSize(_message.Message):
    __slots__ = ("width", "height")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class ScoreTaskRequest(_message.Message):
    __slots__ = ("header", "instances")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    header: ScoreTaskHeader
    instances: _containers.RepeatedCompositeFieldContainer[InstanceAnswer]
    def __init__(self, header: _Optional[_Union[ScoreTaskHeader, _Mapping]] = ..., instances: _Optional[_Iterable[_Union[InstanceAnswer, _Mapping]]] = ...) -> None: ...

class OutcomeCounts(_message.Message):
    __slots__ = ("total", "answered", "refused", "unparsable", "failed", "unsupported", "pending")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    UNPARSABLE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    UNSUPPORTED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    total: int
    answered: int
    refused: int
    unparsable: int
    failed: int
    unsupported: int
    pending: int
    def __init__(self, total: _Optional[int] = ..., answered: _Optional[int] = ..., refused: _Optional[int] = ..., unparsable: _Optional[int] = ..., failed: _Optional[int] = ..., unsupported: _Optional[int] = ..., pending: _Optional[int] = ...) -> None: ...

class Bounds(_message.Message):
    __slots__ = ("lower", "upper")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    lower: float
    upper: float
    def __init__(self, lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class Variation(_message.Message):
    __slots__ = ("differing", "deviation")
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    DEVIATION_FIELD_NUMBER: _ClassVar[int]
    differing: float
    deviation: float
    def __init__(self, differing: _Optional[float] = ..., deviation: _Optional[float] = ...) -> None: ...

class TaskScore(_message.Message):
    __slots__ = ("task", "score", "bounds", "sigma", "counts", "standard_error", "reference", "win", "note", "partial", "unparsable_ids", "chance", "best_constant", "variation", "remarks")
    TASK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    SIGMA_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    WIN_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    UNPARSABLE_IDS_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    BEST_CONSTANT_FIELD_NUMBER: _ClassVar[int]
    VARIATION_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    task: TaskDescription
    score: float
    bounds: Bounds
    sigma: float
    counts: OutcomeCounts
    standard_error: float
    reference: float
    win: bool
    note: str
    partial: bool
    unparsable_ids: _containers.RepeatedScalarFieldContainer[str]
    chance: float
    best_constant: float
    variation: Variation
    remarks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task: _Optional[_Union[TaskDescription, _Mapping]] = ..., score: _Optional[float] = ..., bounds: _Optional[_Union[Bounds, _Mapping]] = ..., sigma: _Optional[float] = ..., counts: _Optional[_Union[OutcomeCounts, _Mapping]] = ..., standard_error: _Optional[float] = ..., reference: _Optional[float] = ..., win: _Optional[bool] = ..., note: _Optional[str] = ..., partial: _Optional[bool] = ..., unparsable_ids: _Optional[_Iterable[str]] = ..., chance: _Optional[float] = ..., best_constant: _Optional[float] = ..., variation: _Optional[_Union[Variation, _Mapping]] = ..., remarks: _Optional[_Iterable[str]] = ...) -> None: ...

class ScoreTaskResponse(_message.Message):
    __slots__ = ("score",)
    SCORE_FIELD_NUMBER: _ClassVar[int]
    score: TaskScore
    def __init__(self, score: _Optional[_Union[TaskScore, _Mapping]] = ...) -> None: ...

class LevelScores(_message.Message):
    __slots__ = ("level_2", "level_3", "level_4", "level_5")
    LEVEL_2_FIELD_NUMBER: _ClassVar[int]
    LEVEL_3_FIELD_NUMBER: _ClassVar[int]
    LEVEL_4_FIELD_NUMBER: _ClassVar[int]
    LEVEL_5_FIELD_NUMBER: _ClassVar[int]
    level_2: float
    level_3: float
    level_4: float
    level_5: float
    def __init__(self, level_2: _Optional[float] = ..., level_3: _Optional[float] = ..., level_4: _Optional[float] = ..., level_5: _Optional[float] = ...) -> None: ...

class ModalityLevels(_message.Message):
    __slots__ = ("modality", "level_2", "level_3", "level_4", "supported", "wins", "tasks")
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    LEVEL_2_FIELD_NUMBER: _ClassVar[int]
    LEVEL_3_FIELD_NUMBER: _ClassVar[int]
    LEVEL_4_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    WINS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    modality: str
    level_2: float
    level_3: float
    level_4: float
    supported: int
    wins: int
    tasks: int
    def __init__(self, modality: _Optional[str] = ..., level_2: _Optional[float] = ..., level_3: _Optional[float] = ..., level_4: _Optional[float] = ..., supported: _Optional[int] = ..., wins: _Optional[int] = ..., tasks: _Optional[int] = ...) -> None: ...

class LanguageLevel(_message.Message):
    __slots__ = ("weight", "supported", "wins", "tasks")
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    WINS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    weight: float
    supported: int
    wins: int
    tasks: int
    def __init__(self, weight: _Optional[float] = ..., supported: _Optional[int] = ..., wins: _Optional[int] = ..., tasks: _Optional[int] = ...) -> None: ...

class Levels(_message.Message):
    __slots__ = ("scores", "verdict", "modalities", "language")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    MODALITIES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    scores: LevelScores
    verdict: int
    modalities: _containers.RepeatedCompositeFieldContainer[ModalityLevels]
    language: LanguageLevel
    def __init__(self, scores: _Optional[_Union[LevelScores, _Mapping]] = ..., verdict: _Optional[int] = ..., modalities: _Optional[_Iterable[_Union[ModalityLevels, _Mapping]]] = ..., language: _Optional[_Union[LanguageLevel, _Mapping]] = ...) -> None: ...

class GetVerdictRequest(_message.Message):
    __slots__ = ("run_id", "references", "alpha", "bootstrap_draws", "reference_instances")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_DRAWS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    references: str
    alpha: float
    bootstrap_draws: int
    reference_instances: int
    def __init__(self, run_id: _Optional[str] = ..., references: _Optional[str] = ..., alpha: _Optional[float] = ..., bootstrap_draws: _Optional[int] = ..., reference_instances: _Optional[int] = ...) -> None: ...

class CertifiedTask(_message.Message):
    __slots__ = ("key", "name", "sheet", "interval", "test", "units", "p_win", "p_loss", "p_win_adjusted", "win", "discovered", "bounds", "obstacle", "asymptotic", "reference", "best_constant", "reference_instances", "reference_interval")
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHEET_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    P_WIN_FIELD_NUMBER: _ClassVar[int]
    P_LOSS_FIELD_NUMBER: _ClassVar[int]
    P_WIN_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    WIN_FIELD_NUMBER: _ClassVar[int]
    DISCOVERED_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    OBSTACLE_FIELD_NUMBER: _ClassVar[int]
    ASYMPTOTIC_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    BEST_CONSTANT_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    key: str
    name: str
    sheet: str
    interval: Bounds
    test: str
    units: int
    p_win: float
    p_loss: float
    p_win_adjusted: float
    win: Decision
    discovered: bool
    bounds: Bounds
    obstacle: str
    asymptotic: bool
    reference: float
    best_constant: float
    reference_instances: int
    reference_interval: Bounds
    def __init__(self, key: _Optional[str] = ..., name: _Optional[str] = ..., sheet: _Optional[str] = ..., interval: _Optional[_Union[Bounds, _Mapping]] = ..., test: _Optional[str] = ..., units: _Optional[int] = ..., p_win: _Optional[float] = ..., p_loss: _Optional[float] = ..., p_win_adjusted: _Optional[float] = ..., win: _Optional[_Union[Decision, str]] = ..., discovered: _Optional[bool] = ..., bounds: _Optional[_Union[Bounds, _Mapping]] = ..., obstacle: _Optional[str] = ..., asymptotic: _Optional[bool] = ..., reference: _Optional[float] = ..., best_constant: _Optional[float] = ..., reference_instances: _Optional[int] = ..., reference_interval: _Optional[_Union[Bounds, _Mapping]] = ...) -> None: ...

class CertifiedLevel(_message.Message):
    __slots__ = ("level", "decision", "p_value", "needed", "score", "interval", "bootstrap", "note")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    level: int
    decision: Decision
    p_value: float
    needed: int
    score: float
    interval: Bounds
    bootstrap: Bounds
    note: str
    def __init__(self, level: _Optional[int] = ..., decision: _Optional[_Union[Decision, str]] = ..., p_value: _Optional[float] = ..., needed: _Optional[int] = ..., score: _Optional[float] = ..., interval: _Optional[_Union[Bounds, _Mapping]] = ..., bootstrap: _Optional[_Union[Bounds, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("alpha", "verdict", "levels", "tasks", "certified_wins", "discovered_wins", "untested", "notes", "reading", "plan", "tests", "listed", "alpha_plan", "alpha_wins", "alpha_lost_tasks", "alpha_lost_levels", "condition")
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_WINS_FIELD_NUMBER: _ClassVar[int]
    DISCOVERED_WINS_FIELD_NUMBER: _ClassVar[int]
    UNTESTED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    ALPHA_PLAN_FIELD_NUMBER: _ClassVar[int]
    ALPHA_WINS_FIELD_NUMBER: _ClassVar[int]
    ALPHA_LOST_TASKS_FIELD_NUMBER: _ClassVar[int]
    ALPHA_LOST_LEVELS_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    verdict: int
    levels: _containers.RepeatedCompositeFieldContainer[CertifiedLevel]
    tasks: _containers.RepeatedCompositeFieldContainer[CertifiedTask]
    certified_wins: int
    discovered_wins: int
    untested: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    reading: Reading
    plan: int
    tests: int
    listed: int
    alpha_plan: float
    alpha_wins: float
    alpha_lost_tasks: float
    alpha_lost_levels: float
    condition: str
    def __init__(self, alpha: _Optional[float] = ..., verdict: _Optional[int] = ..., levels: _Optional[_Iterable[_Union[CertifiedLevel, _Mapping]]] = ..., tasks: _Optional[_Iterable[_Union[CertifiedTask, _Mapping]]] = ..., certified_wins: _Optional[int] = ..., discovered_wins: _Optional[int] = ..., untested: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., reading: _Optional[_Union[Reading, str]] = ..., plan: _Optional[int] = ..., tests: _Optional[int] = ..., listed: _Optional[int] = ..., alpha_plan: _Optional[float] = ..., alpha_wins: _Optional[float] = ..., alpha_lost_tasks: _Optional[float] = ..., alpha_lost_levels: _Optional[float] = ..., condition: _Optional[str] = ...) -> None: ...

class GetVerdictResponse(_message.Message):
    __slots__ = ("run_id", "model", "suite", "benchmark", "references", "tasks", "levels", "asked_levels", "incomplete", "certificate", "suite_hash", "part", "certificate_against_specialists", "plan", "stamp")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    ASKED_LEVELS_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_AGAINST_SPECIALISTS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STAMP_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model: str
    suite: str
    benchmark: str
    references: str
    tasks: _containers.RepeatedCompositeFieldContainer[TaskScore]
    levels: Levels
    asked_levels: Levels
    incomplete: bool
    certificate: Certificate
    suite_hash: str
    part: bool
    certificate_against_specialists: Certificate
    plan: int
    stamp: ScoringStamp
    def __init__(self, run_id: _Optional[str] = ..., model: _Optional[str] = ..., suite: _Optional[str] = ..., benchmark: _Optional[str] = ..., references: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[TaskScore, _Mapping]]] = ..., levels: _Optional[_Union[Levels, _Mapping]] = ..., asked_levels: _Optional[_Union[Levels, _Mapping]] = ..., incomplete: _Optional[bool] = ..., certificate: _Optional[_Union[Certificate, _Mapping]] = ..., suite_hash: _Optional[str] = ..., part: _Optional[bool] = ..., certificate_against_specialists: _Optional[_Union[Certificate, _Mapping]] = ..., plan: _Optional[int] = ..., stamp: _Optional[_Union[ScoringStamp, _Mapping]] = ...) -> None: ...

class ScoringStamp(_message.Message):
    __slots__ = ("version", "commit", "parser_versions", "scored_s", "references_hash")
    class ParserVersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PARSER_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    SCORED_S_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_HASH_FIELD_NUMBER: _ClassVar[int]
    version: str
    commit: str
    parser_versions: _containers.ScalarMap[str, str]
    scored_s: float
    references_hash: str
    def __init__(self, version: _Optional[str] = ..., commit: _Optional[str] = ..., parser_versions: _Optional[_Mapping[str, str]] = ..., scored_s: _Optional[float] = ..., references_hash: _Optional[str] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("run_a", "run_b", "alpha", "draws", "seed", "references")
    RUN_A_FIELD_NUMBER: _ClassVar[int]
    RUN_B_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    run_a: str
    run_b: str
    alpha: float
    draws: int
    seed: int
    references: str
    def __init__(self, run_a: _Optional[str] = ..., run_b: _Optional[str] = ..., alpha: _Optional[float] = ..., draws: _Optional[int] = ..., seed: _Optional[int] = ..., references: _Optional[str] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("score_a", "score_b", "difference", "interval", "p_value", "smallest_detectable", "test")
    SCORE_A_FIELD_NUMBER: _ClassVar[int]
    SCORE_B_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    SMALLEST_DETECTABLE_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    score_a: float
    score_b: float
    difference: float
    interval: Bounds
    p_value: float
    smallest_detectable: float
    test: str
    def __init__(self, score_a: _Optional[float] = ..., score_b: _Optional[float] = ..., difference: _Optional[float] = ..., interval: _Optional[_Union[Bounds, _Mapping]] = ..., p_value: _Optional[float] = ..., smallest_detectable: _Optional[float] = ..., test: _Optional[str] = ...) -> None: ...

class ComparedTask(_message.Message):
    __slots__ = ("task", "difference", "shared", "only_a", "only_b", "open", "p_adjusted", "note")
    TASK_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    ONLY_A_FIELD_NUMBER: _ClassVar[int]
    ONLY_B_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    P_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    task: TaskDescription
    difference: Difference
    shared: int
    only_a: int
    only_b: int
    open: int
    p_adjusted: float
    note: str
    def __init__(self, task: _Optional[_Union[TaskDescription, _Mapping]] = ..., difference: _Optional[_Union[Difference, _Mapping]] = ..., shared: _Optional[int] = ..., only_a: _Optional[int] = ..., only_b: _Optional[int] = ..., open: _Optional[int] = ..., p_adjusted: _Optional[float] = ..., note: _Optional[str] = ...) -> None: ...

class ComparedScore(_message.Message):
    __slots__ = ("name", "difference", "tasks")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    name: str
    difference: Difference
    tasks: int
    def __init__(self, name: _Optional[str] = ..., difference: _Optional[_Union[Difference, _Mapping]] = ..., tasks: _Optional[int] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("run_a", "run_b", "model_a", "model_b", "suite", "references", "alpha", "draws", "tasks", "modalities", "levels", "tasks_only_a", "tasks_only_b", "suite_hash_a", "suite_hash_b")
    RUN_A_FIELD_NUMBER: _ClassVar[int]
    RUN_B_FIELD_NUMBER: _ClassVar[int]
    MODEL_A_FIELD_NUMBER: _ClassVar[int]
    MODEL_B_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    MODALITIES_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    TASKS_ONLY_A_FIELD_NUMBER: _ClassVar[int]
    TASKS_ONLY_B_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_A_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_B_FIELD_NUMBER: _ClassVar[int]
    run_a: str
    run_b: str
    model_a: str
    model_b: str
    suite: str
    references: str
    alpha: float
    draws: int
    tasks: _containers.RepeatedCompositeFieldContainer[ComparedTask]
    modalities: _containers.RepeatedCompositeFieldContainer[ComparedScore]
    levels: _containers.RepeatedCompositeFieldContainer[ComparedScore]
    tasks_only_a: _containers.RepeatedScalarFieldContainer[str]
    tasks_only_b: _containers.RepeatedScalarFieldContainer[str]
    suite_hash_a: str
    suite_hash_b: str
    def __init__(self, run_a: _Optional[str] = ..., run_b: _Optional[str] = ..., model_a: _Optional[str] = ..., model_b: _Optional[str] = ..., suite: _Optional[str] = ..., references: _Optional[str] = ..., alpha: _Optional[float] = ..., draws: _Optional[int] = ..., tasks: _Optional[_Iterable[_Union[ComparedTask, _Mapping]]] = ..., modalities: _Optional[_Iterable[_Union[ComparedScore, _Mapping]]] = ..., levels: _Optional[_Iterable[_Union[ComparedScore, _Mapping]]] = ..., tasks_only_a: _Optional[_Iterable[str]] = ..., tasks_only_b: _Optional[_Iterable[str]] = ..., suite_hash_a: _Optional[str] = ..., suite_hash_b: _Optional[str] = ...) -> None: ...

class ListInstancesRequest(_message.Message):
    __slots__ = ("run_id", "task", "instances", "outcomes", "readings", "wrong", "limit", "unscored")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    WRONG_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNSCORED_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    task: str
    instances: _containers.RepeatedScalarFieldContainer[str]
    outcomes: _containers.RepeatedScalarFieldContainer[Outcome]
    readings: bool
    wrong: bool
    limit: int
    unscored: bool
    def __init__(self, run_id: _Optional[str] = ..., task: _Optional[str] = ..., instances: _Optional[_Iterable[str]] = ..., outcomes: _Optional[_Iterable[_Union[Outcome, str]]] = ..., readings: _Optional[bool] = ..., wrong: _Optional[bool] = ..., limit: _Optional[int] = ..., unscored: _Optional[bool] = ...) -> None: ...

class ListInstancesResponse(_message.Message):
    __slots__ = ("instance_id", "outcome", "score", "variant", "repeat", "shuffle", "parsed_json", "parsed_cut", "reason", "task", "found", "best")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    PARSED_JSON_FIELD_NUMBER: _ClassVar[int]
    PARSED_CUT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    outcome: Outcome
    score: float
    variant: int
    repeat: int
    shuffle: int
    parsed_json: str
    parsed_cut: bool
    reason: str
    task: str
    found: int
    best: float
    def __init__(self, instance_id: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., score: _Optional[float] = ..., variant: _Optional[int] = ..., repeat: _Optional[int] = ..., shuffle: _Optional[int] = ..., parsed_json: _Optional[str] = ..., parsed_cut: _Optional[bool] = ..., reason: _Optional[str] = ..., task: _Optional[str] = ..., found: _Optional[int] = ..., best: _Optional[float] = ...) -> None: ...

class ForgetRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ForgetRunResponse(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: int
    def __init__(self, tasks: _Optional[int] = ...) -> None: ...

class ListStandingsRequest(_message.Message):
    __slots__ = ("run_ids", "references", "kept")
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    references: str
    kept: bool
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ..., references: _Optional[str] = ..., kept: _Optional[bool] = ...) -> None: ...

class ListStandingsResponse(_message.Message):
    __slots__ = ("run_id", "awaited", "model", "suite", "benchmark", "suite_hash", "part", "plan", "incomplete", "references", "levels", "referenced", "certified", "certified_against_specialists", "tasks", "scored_s")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    AWAITED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    REFERENCED_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_AGAINST_SPECIALISTS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    SCORED_S_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    awaited: bool
    model: str
    suite: str
    benchmark: str
    suite_hash: str
    part: bool
    plan: int
    incomplete: bool
    references: str
    levels: Levels
    referenced: bool
    certified: CertifiedStanding
    certified_against_specialists: CertifiedStanding
    tasks: StandingTasks
    scored_s: float
    def __init__(self, run_id: _Optional[str] = ..., awaited: _Optional[bool] = ..., model: _Optional[str] = ..., suite: _Optional[str] = ..., benchmark: _Optional[str] = ..., suite_hash: _Optional[str] = ..., part: _Optional[bool] = ..., plan: _Optional[int] = ..., incomplete: _Optional[bool] = ..., references: _Optional[str] = ..., levels: _Optional[_Union[Levels, _Mapping]] = ..., referenced: _Optional[bool] = ..., certified: _Optional[_Union[CertifiedStanding, _Mapping]] = ..., certified_against_specialists: _Optional[_Union[CertifiedStanding, _Mapping]] = ..., tasks: _Optional[_Union[StandingTasks, _Mapping]] = ..., scored_s: _Optional[float] = ...) -> None: ...

class CertifiedStanding(_message.Message):
    __slots__ = ("alpha", "verdict", "levels", "certified_wins", "discovered_wins", "plan")
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_WINS_FIELD_NUMBER: _ClassVar[int]
    DISCOVERED_WINS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    verdict: int
    levels: _containers.RepeatedCompositeFieldContainer[CertifiedLevel]
    certified_wins: int
    discovered_wins: int
    plan: int
    def __init__(self, alpha: _Optional[float] = ..., verdict: _Optional[int] = ..., levels: _Optional[_Iterable[_Union[CertifiedLevel, _Mapping]]] = ..., certified_wins: _Optional[int] = ..., discovered_wins: _Optional[int] = ..., plan: _Optional[int] = ...) -> None: ...

class StandingTasks(_message.Message):
    __slots__ = ("ids", "keys", "values", "answered", "partial", "incomplete", "fingerprints", "contents")
    IDS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINTS_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    keys: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    answered: _containers.RepeatedScalarFieldContainer[int]
    partial: _containers.RepeatedScalarFieldContainer[bool]
    incomplete: _containers.RepeatedScalarFieldContainer[bool]
    fingerprints: _containers.RepeatedScalarFieldContainer[int]
    contents: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., keys: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., answered: _Optional[_Iterable[int]] = ..., partial: _Optional[_Iterable[bool]] = ..., incomplete: _Optional[_Iterable[bool]] = ..., fingerprints: _Optional[_Iterable[int]] = ..., contents: _Optional[_Iterable[int]] = ...) -> None: ...

class GetAbilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetAbilitiesResponse(_message.Message):
    __slots__ = ("abilities", "device", "device_problem")
    ABILITIES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    abilities: _containers.RepeatedCompositeFieldContainer[Ability]
    device: str
    device_problem: str
    def __init__(self, abilities: _Optional[_Iterable[_Union[Ability, _Mapping]]] = ..., device: _Optional[str] = ..., device_problem: _Optional[str] = ...) -> None: ...

class Ability(_message.Message):
    __slots__ = ("need", "problem")
    NEED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    need: str
    problem: str
    def __init__(self, need: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class CriteriaTask(_message.Message):
    __slots__ = ("task", "instances", "repeats", "sizes", "answer_type", "rated", "best_constant")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TYPE_FIELD_NUMBER: _ClassVar[int]
    RATED_FIELD_NUMBER: _ClassVar[int]
    BEST_CONSTANT_FIELD_NUMBER: _ClassVar[int]
    task: TaskDescription
    instances: int
    repeats: int
    sizes: _containers.RepeatedCompositeFieldContainer[UnitSize]
    answer_type: str
    rated: bool
    best_constant: float
    def __init__(self, task: _Optional[_Union[TaskDescription, _Mapping]] = ..., instances: _Optional[int] = ..., repeats: _Optional[int] = ..., sizes: _Optional[_Iterable[_Union[UnitSize, _Mapping]]] = ..., answer_type: _Optional[str] = ..., rated: _Optional[bool] = ..., best_constant: _Optional[float] = ...) -> None: ...

class UnitSize(_message.Message):
    __slots__ = ("instances", "units")
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    instances: int
    units: int
    def __init__(self, instances: _Optional[int] = ..., units: _Optional[int] = ...) -> None: ...

class GetCriteriaRequest(_message.Message):
    __slots__ = ("header", "tasks", "alpha")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    header: ScoreTaskHeader
    tasks: _containers.RepeatedCompositeFieldContainer[CriteriaTask]
    alpha: float
    def __init__(self, header: _Optional[_Union[ScoreTaskHeader, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[CriteriaTask, _Mapping]]] = ..., alpha: _Optional[float] = ...) -> None: ...

class GetCriteriaResponse(_message.Message):
    __slots__ = ("criteria", "tests", "wins_share", "pooled_share")
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    WINS_SHARE_FIELD_NUMBER: _ClassVar[int]
    POOLED_SHARE_FIELD_NUMBER: _ClassVar[int]
    criteria: _containers.RepeatedCompositeFieldContainer[Criterion]
    tests: int
    wins_share: float
    pooled_share: float
    def __init__(self, criteria: _Optional[_Iterable[_Union[Criterion, _Mapping]]] = ..., tests: _Optional[int] = ..., wins_share: _Optional[float] = ..., pooled_share: _Optional[float] = ...) -> None: ...

class Criterion(_message.Message):
    __slots__ = ("task", "obstacle", "whole", "test", "bar", "most", "critical", "betting", "rewards")
    TASK_FIELD_NUMBER: _ClassVar[int]
    OBSTACLE_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    BAR_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    CRITICAL_FIELD_NUMBER: _ClassVar[int]
    BETTING_FIELD_NUMBER: _ClassVar[int]
    REWARDS_FIELD_NUMBER: _ClassVar[int]
    task: str
    obstacle: str
    whole: str
    test: str
    bar: float
    most: float
    critical: int
    betting: BettingCriterion
    rewards: bool
    def __init__(self, task: _Optional[str] = ..., obstacle: _Optional[str] = ..., whole: _Optional[str] = ..., test: _Optional[str] = ..., bar: _Optional[float] = ..., most: _Optional[float] = ..., critical: _Optional[int] = ..., betting: _Optional[_Union[BettingCriterion, _Mapping]] = ..., rewards: _Optional[bool] = ...) -> None: ...

class BettingCriterion(_message.Message):
    __slots__ = ("amounts", "weights", "log_threshold")
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    LOG_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    amounts: _containers.RepeatedScalarFieldContainer[float]
    weights: _containers.RepeatedScalarFieldContainer[float]
    log_threshold: float
    def __init__(self, amounts: _Optional[_Iterable[float]] = ..., weights: _Optional[_Iterable[float]] = ..., log_threshold: _Optional[float] = ...) -> None: ...

class MeasureAnswersRequest(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[AnswersOfTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[AnswersOfTask, _Mapping]]] = ...) -> None: ...

class AnswersOfTask(_message.Message):
    __slots__ = ("task", "instances")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    task: TaskDescription
    instances: _containers.RepeatedCompositeFieldContainer[InstanceAnswer]
    def __init__(self, task: _Optional[_Union[TaskDescription, _Mapping]] = ..., instances: _Optional[_Iterable[_Union[InstanceAnswer, _Mapping]]] = ...) -> None: ...

class MeasureAnswersResponse(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[MeasuredAnswer]
    def __init__(self, answers: _Optional[_Iterable[_Union[MeasuredAnswer, _Mapping]]] = ...) -> None: ...

class MeasuredAnswer(_message.Message):
    __slots__ = ("worst_above", "worst_below", "best_above", "best_below", "whole", "obstacle")
    WORST_ABOVE_FIELD_NUMBER: _ClassVar[int]
    WORST_BELOW_FIELD_NUMBER: _ClassVar[int]
    BEST_ABOVE_FIELD_NUMBER: _ClassVar[int]
    BEST_BELOW_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    OBSTACLE_FIELD_NUMBER: _ClassVar[int]
    worst_above: float
    worst_below: float
    best_above: float
    best_below: float
    whole: str
    obstacle: str
    def __init__(self, worst_above: _Optional[float] = ..., worst_below: _Optional[float] = ..., best_above: _Optional[float] = ..., best_below: _Optional[float] = ..., whole: _Optional[str] = ..., obstacle: _Optional[str] = ...) -> None: ...

class ExpectDecisionRequest(_message.Message):
    __slots__ = ("header", "tasks", "alpha", "epsilon", "aim", "with_uncertifiable")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    EPSILON_FIELD_NUMBER: _ClassVar[int]
    AIM_FIELD_NUMBER: _ClassVar[int]
    WITH_UNCERTIFIABLE_FIELD_NUMBER: _ClassVar[int]
    header: ScoreTaskHeader
    tasks: _containers.RepeatedCompositeFieldContainer[CriteriaTask]
    alpha: float
    epsilon: float
    aim: int
    with_uncertifiable: bool
    def __init__(self, header: _Optional[_Union[ScoreTaskHeader, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[CriteriaTask, _Mapping]]] = ..., alpha: _Optional[float] = ..., epsilon: _Optional[float] = ..., aim: _Optional[int] = ..., with_uncertifiable: _Optional[bool] = ...) -> None: ...

class ExpectDecisionResponse(_message.Message):
    __slots__ = ("runs", "models", "note")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[ExpectedRun]
    models: int
    note: str
    def __init__(self, runs: _Optional[_Iterable[_Union[ExpectedRun, _Mapping]]] = ..., models: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class ExpectedRun(_message.Message):
    __slots__ = ("model", "answers", "answers_of")
    class AnswersOfEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_OF_FIELD_NUMBER: _ClassVar[int]
    model: str
    answers: int
    answers_of: _containers.ScalarMap[str, int]
    def __init__(self, model: _Optional[str] = ..., answers: _Optional[int] = ..., answers_of: _Optional[_Mapping[str, int]] = ...) -> None: ...
