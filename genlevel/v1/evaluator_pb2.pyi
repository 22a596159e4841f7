import datetime

from genlevel.v1 import gateway_pb2 as _gateway_pb2
from genlevel.v1 import scorer_pb2 as _scorer_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATUS_UNSPECIFIED: _ClassVar[RunStatus]
    RUN_STATUS_RUNNING: _ClassVar[RunStatus]
    RUN_STATUS_FINISHED: _ClassVar[RunStatus]
    RUN_STATUS_INTERRUPTED: _ClassVar[RunStatus]
    RUN_STATUS_BUDGET: _ClassVar[RunStatus]
    RUN_STATUS_FAILED: _ClassVar[RunStatus]
    RUN_STATUS_PAUSED: _ClassVar[RunStatus]
    RUN_STATUS_DECIDED: _ClassVar[RunStatus]

class RunWanted(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_WANTED_UNSPECIFIED: _ClassVar[RunWanted]
    RUN_WANTED_GO_ON: _ClassVar[RunWanted]
    RUN_WANTED_PAUSED: _ClassVar[RunWanted]
    RUN_WANTED_STOPPED: _ClassVar[RunWanted]
    RUN_WANTED_CANNOT_SUCCEED: _ClassVar[RunWanted]
    RUN_WANTED_FINISHED: _ClassVar[RunWanted]

class Rightness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RIGHTNESS_UNSPECIFIED: _ClassVar[Rightness]
    RIGHTNESS_RIGHT: _ClassVar[Rightness]
    RIGHTNESS_WRONG: _ClassVar[Rightness]
    RIGHTNESS_UNKNOWN: _ClassVar[Rightness]

class AnswerOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANSWER_ORDER_UNSPECIFIED: _ClassVar[AnswerOrder]
    ANSWER_ORDER_WORST: _ClassVar[AnswerOrder]
    ANSWER_ORDER_BEST: _ClassVar[AnswerOrder]
    ANSWER_ORDER_COST: _ClassVar[AnswerOrder]
    ANSWER_ORDER_SLOWEST: _ClassVar[AnswerOrder]
    ANSWER_ORDER_NEWEST: _ClassVar[AnswerOrder]

class MediaOf(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEDIA_OF_UNSPECIFIED: _ClassVar[MediaOf]
    MEDIA_OF_QUESTION: _ClassVar[MediaOf]
    MEDIA_OF_ANSWER: _ClassVar[MediaOf]
    MEDIA_OF_LABEL: _ClassVar[MediaOf]

class DeadLetterChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEAD_LETTER_CHANGE_UNSPECIFIED: _ClassVar[DeadLetterChange]
    DEAD_LETTER_CHANGE_RETRY: _ClassVar[DeadLetterChange]
    DEAD_LETTER_CHANGE_FORGET: _ClassVar[DeadLetterChange]
RUN_STATUS_UNSPECIFIED: RunStatus
RUN_STATUS_RUNNING: RunStatus
RUN_STATUS_FINISHED: RunStatus
RUN_STATUS_INTERRUPTED: RunStatus
RUN_STATUS_BUDGET: RunStatus
RUN_STATUS_FAILED: RunStatus
RUN_STATUS_PAUSED: RunStatus
RUN_STATUS_DECIDED: RunStatus
RUN_WANTED_UNSPECIFIED: RunWanted
RUN_WANTED_GO_ON: RunWanted
RUN_WANTED_PAUSED: RunWanted
RUN_WANTED_STOPPED: RunWanted
RUN_WANTED_CANNOT_SUCCEED: RunWanted
RUN_WANTED_FINISHED: RunWanted
RIGHTNESS_UNSPECIFIED: Rightness
RIGHTNESS_RIGHT: Rightness
RIGHTNESS_WRONG: Rightness
RIGHTNESS_UNKNOWN: Rightness
ANSWER_ORDER_UNSPECIFIED: AnswerOrder
ANSWER_ORDER_WORST: AnswerOrder
ANSWER_ORDER_BEST: AnswerOrder
ANSWER_ORDER_COST: AnswerOrder
ANSWER_ORDER_SLOWEST: AnswerOrder
ANSWER_ORDER_NEWEST: AnswerOrder
MEDIA_OF_UNSPECIFIED: MediaOf
MEDIA_OF_QUESTION: MediaOf
MEDIA_OF_ANSWER: MediaOf
MEDIA_OF_LABEL: MediaOf
DEAD_LETTER_CHANGE_UNSPECIFIED: DeadLetterChange
DEAD_LETTER_CHANGE_RETRY: DeadLetterChange
DEAD_LETTER_CHANGE_FORGET: DeadLetterChange

class RunSpecification(_message.Message):
    __slots__ = ("model", "suite", "tasks", "limit", "seed", "parameters", "base_url", "api_key_env", "api", "video_frames", "no_structured_output", "suite_hash", "repeats", "boxes", "chosen", "occasion", "droppable")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    API_KEY_ENV_FIELD_NUMBER: _ClassVar[int]
    API_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FRAMES_FIELD_NUMBER: _ClassVar[int]
    NO_STRUCTURED_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    DROPPABLE_FIELD_NUMBER: _ClassVar[int]
    model: str
    suite: str
    tasks: str
    limit: int
    seed: int
    parameters: _gateway_pb2.GenerationParameters
    base_url: str
    api_key_env: str
    api: str
    video_frames: int
    no_structured_output: bool
    suite_hash: str
    repeats: int
    boxes: str
    chosen: _containers.RepeatedCompositeFieldContainer[ChosenInstances]
    occasion: str
    droppable: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, model: _Optional[str] = ..., suite: _Optional[str] = ..., tasks: _Optional[str] = ..., limit: _Optional[int] = ..., seed: _Optional[int] = ..., parameters: _Optional[_Union[_gateway_pb2.GenerationParameters, _Mapping]] = ..., base_url: _Optional[str] = ..., api_key_env: _Optional[str] = ..., api: _Optional[str] = ..., video_frames: _Optional[int] = ..., no_structured_output: _Optional[bool] = ..., suite_hash: _Optional[str] = ..., repeats: _Optional[int] = ..., boxes: _Optional[str] = ..., chosen: _Optional[_Iterable[_Union[ChosenInstances, _Mapping]]] = ..., occasion: _Optional[str] = ..., droppable: _Optional[_Iterable[str]] = ...) -> None: ...

class ChosenInstances(_message.Message):
    __slots__ = ("task", "positions")
    TASK_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    task: str
    positions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, task: _Optional[str] = ..., positions: _Optional[_Iterable[int]] = ...) -> None: ...

class TrafficSettings(_message.Message):
    __slots__ = ("concurrency", "requests_per_minute", "tokens_per_minute", "budget_nano_usd", "unpriced_ok", "judge", "budget_tokens", "weight", "interactive", "batch", "until_decided")
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    BUDGET_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_OK_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    BUDGET_TOKENS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    INTERACTIVE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    UNTIL_DECIDED_FIELD_NUMBER: _ClassVar[int]
    concurrency: int
    requests_per_minute: int
    tokens_per_minute: int
    budget_nano_usd: int
    unpriced_ok: bool
    judge: str
    budget_tokens: int
    weight: int
    interactive: bool
    batch: bool
    until_decided: UntilDecided
    def __init__(self, concurrency: _Optional[int] = ..., requests_per_minute: _Optional[int] = ..., tokens_per_minute: _Optional[int] = ..., budget_nano_usd: _Optional[int] = ..., unpriced_ok: _Optional[bool] = ..., judge: _Optional[str] = ..., budget_tokens: _Optional[int] = ..., weight: _Optional[int] = ..., interactive: _Optional[bool] = ..., batch: _Optional[bool] = ..., until_decided: _Optional[_Union[UntilDecided, _Mapping]] = ...) -> None: ...

class UntilDecided(_message.Message):
    __slots__ = ("aim", "epsilon", "alpha", "with_uncertifiable")
    class Aim(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AIM_UNSPECIFIED: _ClassVar[UntilDecided.Aim]
        AIM_WINS: _ClassVar[UntilDecided.Aim]
        AIM_VERDICT: _ClassVar[UntilDecided.Aim]
    AIM_UNSPECIFIED: UntilDecided.Aim
    AIM_WINS: UntilDecided.Aim
    AIM_VERDICT: UntilDecided.Aim
    AIM_FIELD_NUMBER: _ClassVar[int]
    EPSILON_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    WITH_UNCERTIFIABLE_FIELD_NUMBER: _ClassVar[int]
    aim: UntilDecided.Aim
    epsilon: float
    alpha: float
    with_uncertifiable: bool
    def __init__(self, aim: _Optional[_Union[UntilDecided.Aim, str]] = ..., epsilon: _Optional[float] = ..., alpha: _Optional[float] = ..., with_uncertifiable: _Optional[bool] = ...) -> None: ...

class EarlyDecision(_message.Message):
    __slots__ = ("until", "complete", "verdict", "asked", "total", "tests", "win_threshold", "pooled_threshold", "tasks", "levels", "saved_nano_usd", "rules", "earlier")
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    WIN_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    POOLED_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    SAVED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    until: UntilDecided
    complete: bool
    verdict: int
    asked: int
    total: int
    tests: int
    win_threshold: float
    pooled_threshold: float
    tasks: _containers.RepeatedCompositeFieldContainer[DecidedTask]
    levels: _containers.RepeatedCompositeFieldContainer[DecidedLevel]
    saved_nano_usd: int
    rules: int
    earlier: _containers.RepeatedCompositeFieldContainer[EarlierDecision]
    def __init__(self, until: _Optional[_Union[UntilDecided, _Mapping]] = ..., complete: _Optional[bool] = ..., verdict: _Optional[int] = ..., asked: _Optional[int] = ..., total: _Optional[int] = ..., tests: _Optional[int] = ..., win_threshold: _Optional[float] = ..., pooled_threshold: _Optional[float] = ..., tasks: _Optional[_Iterable[_Union[DecidedTask, _Mapping]]] = ..., levels: _Optional[_Iterable[_Union[DecidedLevel, _Mapping]]] = ..., saved_nano_usd: _Optional[int] = ..., rules: _Optional[int] = ..., earlier: _Optional[_Iterable[_Union[EarlierDecision, _Mapping]]] = ...) -> None: ...

class EarlierDecision(_message.Message):
    __slots__ = ("until", "complete", "verdict", "asked", "levels", "won", "not_won", "undecided")
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    WON_FIELD_NUMBER: _ClassVar[int]
    NOT_WON_FIELD_NUMBER: _ClassVar[int]
    UNDECIDED_FIELD_NUMBER: _ClassVar[int]
    until: UntilDecided
    complete: bool
    verdict: int
    asked: int
    levels: _containers.RepeatedCompositeFieldContainer[DecidedLevel]
    won: int
    not_won: int
    undecided: int
    def __init__(self, until: _Optional[_Union[UntilDecided, _Mapping]] = ..., complete: _Optional[bool] = ..., verdict: _Optional[int] = ..., asked: _Optional[int] = ..., levels: _Optional[_Iterable[_Union[DecidedLevel, _Mapping]]] = ..., won: _Optional[int] = ..., not_won: _Optional[int] = ..., undecided: _Optional[int] = ...) -> None: ...

class DecidedTask(_message.Message):
    __slots__ = ("task", "state", "asked", "total", "decided_at", "test", "note")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[DecidedTask.State]
        STATE_WON: _ClassVar[DecidedTask.State]
        STATE_NOT_WON: _ClassVar[DecidedTask.State]
        STATE_UNDECIDED: _ClassVar[DecidedTask.State]
        STATE_UNCERTIFIABLE: _ClassVar[DecidedTask.State]
        STATE_NOT_NEEDED: _ClassVar[DecidedTask.State]
    STATE_UNSPECIFIED: DecidedTask.State
    STATE_WON: DecidedTask.State
    STATE_NOT_WON: DecidedTask.State
    STATE_UNDECIDED: DecidedTask.State
    STATE_UNCERTIFIABLE: DecidedTask.State
    STATE_NOT_NEEDED: DecidedTask.State
    TASK_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    task: str
    state: DecidedTask.State
    asked: int
    total: int
    decided_at: int
    test: str
    note: str
    def __init__(self, task: _Optional[str] = ..., state: _Optional[_Union[DecidedTask.State, str]] = ..., asked: _Optional[int] = ..., total: _Optional[int] = ..., decided_at: _Optional[int] = ..., test: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class DecidedLevel(_message.Message):
    __slots__ = ("level", "state", "by", "decided_at")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[DecidedLevel.State]
        STATE_ATTAINED: _ClassVar[DecidedLevel.State]
        STATE_NOT_ATTAINED: _ClassVar[DecidedLevel.State]
        STATE_UNDECIDED: _ClassVar[DecidedLevel.State]
    STATE_UNSPECIFIED: DecidedLevel.State
    STATE_ATTAINED: DecidedLevel.State
    STATE_NOT_ATTAINED: DecidedLevel.State
    STATE_UNDECIDED: DecidedLevel.State
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    level: int
    state: DecidedLevel.State
    by: str
    decided_at: int
    def __init__(self, level: _Optional[int] = ..., state: _Optional[_Union[DecidedLevel.State, str]] = ..., by: _Optional[str] = ..., decided_at: _Optional[int] = ...) -> None: ...

class ExpectedDecision(_message.Message):
    __slots__ = ("median", "worst", "total", "models", "runs", "median_nano_usd", "worst_nano_usd", "note", "usual_median_nano_usd", "usual_worst_nano_usd")
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    WORST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    USUAL_MEDIAN_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    USUAL_WORST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    median: int
    worst: int
    total: int
    models: int
    runs: int
    median_nano_usd: int
    worst_nano_usd: int
    note: str
    usual_median_nano_usd: int
    usual_worst_nano_usd: int
    def __init__(self, median: _Optional[int] = ..., worst: _Optional[int] = ..., total: _Optional[int] = ..., models: _Optional[int] = ..., runs: _Optional[int] = ..., median_nano_usd: _Optional[int] = ..., worst_nano_usd: _Optional[int] = ..., note: _Optional[str] = ..., usual_median_nano_usd: _Optional[int] = ..., usual_worst_nano_usd: _Optional[int] = ...) -> None: ...

class PlanRunRequest(_message.Message):
    __slots__ = ("specification", "judge", "traffic", "fresh")
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    specification: RunSpecification
    judge: str
    traffic: TrafficSettings
    fresh: bool
    def __init__(self, specification: _Optional[_Union[RunSpecification, _Mapping]] = ..., judge: _Optional[str] = ..., traffic: _Optional[_Union[TrafficSettings, _Mapping]] = ..., fresh: _Optional[bool] = ...) -> None: ...

class PlannedJudging(_message.Message):
    __slots__ = ("judge", "route", "answers", "estimated_input_tokens", "max_output_tokens", "estimated_nano_usd")
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    judge: str
    route: str
    answers: int
    estimated_input_tokens: int
    max_output_tokens: int
    estimated_nano_usd: int
    def __init__(self, judge: _Optional[str] = ..., route: _Optional[str] = ..., answers: _Optional[int] = ..., estimated_input_tokens: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., estimated_nano_usd: _Optional[int] = ...) -> None: ...

class PlannedTask(_message.Message):
    __slots__ = ("key", "name", "sheet", "metric", "instances", "estimated_input_tokens", "max_output_tokens", "estimated_nano_usd", "note", "answers", "calls", "usual_nano_usd")
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHEET_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    USUAL_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    key: str
    name: str
    sheet: str
    metric: str
    instances: int
    estimated_input_tokens: int
    max_output_tokens: int
    estimated_nano_usd: int
    note: str
    answers: int
    calls: int
    usual_nano_usd: int
    def __init__(self, key: _Optional[str] = ..., name: _Optional[str] = ..., sheet: _Optional[str] = ..., metric: _Optional[str] = ..., instances: _Optional[int] = ..., estimated_input_tokens: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., estimated_nano_usd: _Optional[int] = ..., note: _Optional[str] = ..., answers: _Optional[int] = ..., calls: _Optional[int] = ..., usual_nano_usd: _Optional[int] = ...) -> None: ...

class PlanRunResponse(_message.Message):
    __slots__ = ("run_id", "benchmark", "tasks", "model", "problems", "judging", "plan", "expected", "called")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    JUDGING_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    CALLED_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    benchmark: str
    tasks: _containers.RepeatedCompositeFieldContainer[PlannedTask]
    model: _gateway_pb2.ModelInfo
    problems: _containers.RepeatedScalarFieldContainer[str]
    judging: PlannedJudging
    plan: int
    expected: ExpectedDecision
    called: int
    def __init__(self, run_id: _Optional[str] = ..., benchmark: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[PlannedTask, _Mapping]]] = ..., model: _Optional[_Union[_gateway_pb2.ModelInfo, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ..., judging: _Optional[_Union[PlannedJudging, _Mapping]] = ..., plan: _Optional[int] = ..., expected: _Optional[_Union[ExpectedDecision, _Mapping]] = ..., called: _Optional[int] = ...) -> None: ...

class StartRunRequest(_message.Message):
    __slots__ = ("specification", "traffic", "fresh", "run_id", "retry_failed", "judge_only", "judge", "suite_hash")
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_FAILED_FIELD_NUMBER: _ClassVar[int]
    JUDGE_ONLY_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    specification: RunSpecification
    traffic: TrafficSettings
    fresh: bool
    run_id: str
    retry_failed: bool
    judge_only: bool
    judge: str
    suite_hash: str
    def __init__(self, specification: _Optional[_Union[RunSpecification, _Mapping]] = ..., traffic: _Optional[_Union[TrafficSettings, _Mapping]] = ..., fresh: _Optional[bool] = ..., run_id: _Optional[str] = ..., retry_failed: _Optional[bool] = ..., judge_only: _Optional[bool] = ..., judge: _Optional[str] = ..., suite_hash: _Optional[str] = ...) -> None: ...

class StartRunResponse(_message.Message):
    __slots__ = ("run", "problems", "nothing_left")
    RUN_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    NOTHING_LEFT_FIELD_NUMBER: _ClassVar[int]
    run: Run
    problems: _containers.RepeatedScalarFieldContainer[str]
    nothing_left: bool
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ..., nothing_left: _Optional[bool] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("run_id", "specification", "suite", "benchmark", "partial", "status", "reason", "counts", "usage", "cost_nano_usd", "created", "updated", "calls", "retries", "prompt_version", "judging", "unknown_costs", "most_cost_nano_usd", "unknown_calls", "wanted", "suite_hash", "plan", "facts", "batches", "name", "tags", "notes", "tasks", "traffic", "decision")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    RETRIES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    JUDGING_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_COSTS_FIELD_NUMBER: _ClassVar[int]
    MOST_COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CALLS_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    specification: RunSpecification
    suite: str
    benchmark: str
    partial: bool
    status: RunStatus
    reason: str
    counts: _scorer_pb2.OutcomeCounts
    usage: _gateway_pb2.Usage
    cost_nano_usd: int
    created: _timestamp_pb2.Timestamp
    updated: _timestamp_pb2.Timestamp
    calls: int
    retries: int
    prompt_version: str
    judging: Judging
    unknown_costs: int
    most_cost_nano_usd: int
    unknown_calls: int
    wanted: RunWanted
    suite_hash: str
    plan: int
    facts: _scorer_pb2.RunFacts
    batches: WaitingBatches
    name: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    notes: str
    tasks: int
    traffic: TrafficSettings
    decision: EarlyDecision
    def __init__(self, run_id: _Optional[str] = ..., specification: _Optional[_Union[RunSpecification, _Mapping]] = ..., suite: _Optional[str] = ..., benchmark: _Optional[str] = ..., partial: _Optional[bool] = ..., status: _Optional[_Union[RunStatus, str]] = ..., reason: _Optional[str] = ..., counts: _Optional[_Union[_scorer_pb2.OutcomeCounts, _Mapping]] = ..., usage: _Optional[_Union[_gateway_pb2.Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., calls: _Optional[int] = ..., retries: _Optional[int] = ..., prompt_version: _Optional[str] = ..., judging: _Optional[_Union[Judging, _Mapping]] = ..., unknown_costs: _Optional[int] = ..., most_cost_nano_usd: _Optional[int] = ..., unknown_calls: _Optional[int] = ..., wanted: _Optional[_Union[RunWanted, str]] = ..., suite_hash: _Optional[str] = ..., plan: _Optional[int] = ..., facts: _Optional[_Union[_scorer_pb2.RunFacts, _Mapping]] = ..., batches: _Optional[_Union[WaitingBatches, _Mapping]] = ..., name: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., notes: _Optional[str] = ..., tasks: _Optional[int] = ..., traffic: _Optional[_Union[TrafficSettings, _Mapping]] = ..., decision: _Optional[_Union[EarlyDecision, _Mapping]] = ...) -> None: ...

class WaitingBatches(_message.Message):
    __slots__ = ("provider", "batches", "instances", "answered", "expires_s", "cancelling")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_S_FIELD_NUMBER: _ClassVar[int]
    CANCELLING_FIELD_NUMBER: _ClassVar[int]
    provider: str
    batches: int
    instances: int
    answered: int
    expires_s: float
    cancelling: int
    def __init__(self, provider: _Optional[str] = ..., batches: _Optional[int] = ..., instances: _Optional[int] = ..., answered: _Optional[int] = ..., expires_s: _Optional[float] = ..., cancelling: _Optional[int] = ...) -> None: ...

class Judging(_message.Message):
    __slots__ = ("judge", "route", "judged", "failed", "usage", "cost_nano_usd", "open", "unknown_costs", "most_cost_nano_usd", "unknown_calls", "prompts")
    class PromptsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: JudgePrompt
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[JudgePrompt, _Mapping]] = ...) -> None: ...
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    JUDGED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_COSTS_FIELD_NUMBER: _ClassVar[int]
    MOST_COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CALLS_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    judge: str
    route: str
    judged: int
    failed: int
    usage: _gateway_pb2.Usage
    cost_nano_usd: int
    open: int
    unknown_costs: int
    most_cost_nano_usd: int
    unknown_calls: int
    prompts: _containers.MessageMap[str, JudgePrompt]
    def __init__(self, judge: _Optional[str] = ..., route: _Optional[str] = ..., judged: _Optional[int] = ..., failed: _Optional[int] = ..., usage: _Optional[_Union[_gateway_pb2.Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ..., open: _Optional[int] = ..., unknown_costs: _Optional[int] = ..., most_cost_nano_usd: _Optional[int] = ..., unknown_calls: _Optional[int] = ..., prompts: _Optional[_Mapping[str, JudgePrompt]] = ...) -> None: ...

class JudgePrompt(_message.Message):
    __slots__ = ("version", "hash")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    version: str
    hash: str
    def __init__(self, version: _Optional[str] = ..., hash: _Optional[str] = ...) -> None: ...

class WatchRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class WatchRunResponse(_message.Message):
    __slots__ = ("run", "in_flight", "rate", "waiting", "remaining_s", "judging", "provider_wait_s", "waits_for", "pace", "deciding")
    class WaitingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    RUN_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    REMAINING_S_FIELD_NUMBER: _ClassVar[int]
    JUDGING_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_WAIT_S_FIELD_NUMBER: _ClassVar[int]
    WAITS_FOR_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    DECIDING_FIELD_NUMBER: _ClassVar[int]
    run: Run
    in_flight: int
    rate: float
    waiting: _containers.ScalarMap[str, int]
    remaining_s: float
    judging: bool
    provider_wait_s: float
    waits_for: str
    pace: float
    deciding: DecidingProgress
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., in_flight: _Optional[int] = ..., rate: _Optional[float] = ..., waiting: _Optional[_Mapping[str, int]] = ..., remaining_s: _Optional[float] = ..., judging: _Optional[bool] = ..., provider_wait_s: _Optional[float] = ..., waits_for: _Optional[str] = ..., pace: _Optional[float] = ..., deciding: _Optional[_Union[DecidingProgress, _Mapping]] = ...) -> None: ...

class DecidingProgress(_message.Message):
    __slots__ = ("settled", "tasks", "calls")
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    settled: int
    tasks: int
    calls: int
    def __init__(self, settled: _Optional[int] = ..., tasks: _Optional[int] = ..., calls: _Optional[int] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("run_id", "details", "not_added_up")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    NOT_ADDED_UP_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    details: bool
    not_added_up: bool
    def __init__(self, run_id: _Optional[str] = ..., details: _Optional[bool] = ..., not_added_up: _Optional[bool] = ...) -> None: ...

class GetRunResponse(_message.Message):
    __slots__ = ("run", "details")
    RUN_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    run: Run
    details: RunDetails
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., details: _Optional[_Union[RunDetails, _Mapping]] = ...) -> None: ...

class RunDetails(_message.Message):
    __slots__ = ("tasks", "failures", "last_answer_s")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_ANSWER_S_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[TaskProgress]
    failures: _containers.RepeatedCompositeFieldContainer[FailureGroup]
    last_answer_s: float
    def __init__(self, tasks: _Optional[_Iterable[_Union[TaskProgress, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[FailureGroup, _Mapping]]] = ..., last_answer_s: _Optional[float] = ...) -> None: ...

class TaskProgress(_message.Message):
    __slots__ = ("task", "counts")
    TASK_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    task: str
    counts: _scorer_pb2.OutcomeCounts
    def __init__(self, task: _Optional[str] = ..., counts: _Optional[_Union[_scorer_pb2.OutcomeCounts, _Mapping]] = ...) -> None: ...

class FailureGroup(_message.Message):
    __slots__ = ("outcome", "error_class", "answers", "examples")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_CLASS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    outcome: _scorer_pb2.Outcome
    error_class: _gateway_pb2.ErrorClass
    answers: int
    examples: _containers.RepeatedCompositeFieldContainer[FailureExample]
    def __init__(self, outcome: _Optional[_Union[_scorer_pb2.Outcome, str]] = ..., error_class: _Optional[_Union[_gateway_pb2.ErrorClass, str]] = ..., answers: _Optional[int] = ..., examples: _Optional[_Iterable[_Union[FailureExample, _Mapping]]] = ...) -> None: ...

class FailureExample(_message.Message):
    __slots__ = ("task", "instance_id", "variant", "repeat", "shuffle", "error")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    task: str
    instance_id: str
    variant: int
    repeat: int
    shuffle: int
    error: str
    def __init__(self, task: _Optional[str] = ..., instance_id: _Optional[str] = ..., variant: _Optional[int] = ..., repeat: _Optional[int] = ..., shuffle: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("ticks", "model", "suite", "statuses", "tags", "since_s", "text", "limit", "after")
    TICKS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SINCE_S_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ticks: bool
    model: str
    suite: str
    statuses: _containers.RepeatedScalarFieldContainer[RunStatus]
    tags: _containers.RepeatedScalarFieldContainer[str]
    since_s: float
    text: str
    limit: int
    after: str
    def __init__(self, ticks: _Optional[bool] = ..., model: _Optional[str] = ..., suite: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[RunStatus, str]]] = ..., tags: _Optional[_Iterable[str]] = ..., since_s: _Optional[float] = ..., text: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[str] = ...) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs", "found", "next")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    found: int
    next: str
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ..., found: _Optional[int] = ..., next: _Optional[str] = ...) -> None: ...

class DescribeRunRequest(_message.Message):
    __slots__ = ("run_id", "name", "notes", "add_tags", "remove_tags")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    ADD_TAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TAGS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    name: str
    notes: str
    add_tags: _containers.RepeatedScalarFieldContainer[str]
    remove_tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_id: _Optional[str] = ..., name: _Optional[str] = ..., notes: _Optional[str] = ..., add_tags: _Optional[_Iterable[str]] = ..., remove_tags: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class DeleteRunRequest(_message.Message):
    __slots__ = ("run_id", "dry_run")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    dry_run: bool
    def __init__(self, run_id: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class DeleteRunResponse(_message.Message):
    __slots__ = ("run_id", "answers", "files", "bytes", "problems")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    answers: int
    files: int
    bytes: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_id: _Optional[str] = ..., answers: _Optional[int] = ..., files: _Optional[int] = ..., bytes: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class CancelRunRequest(_message.Message):
    __slots__ = ("run_id", "now")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    now: bool
    def __init__(self, run_id: _Optional[str] = ..., now: _Optional[bool] = ...) -> None: ...

class CancelRunResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UpdateRunRequest(_message.Message):
    __slots__ = ("run_id", "wanted", "traffic", "now")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    wanted: RunWanted
    traffic: TrafficSettings
    now: bool
    def __init__(self, run_id: _Optional[str] = ..., wanted: _Optional[_Union[RunWanted, str]] = ..., traffic: _Optional[_Union[TrafficSettings, _Mapping]] = ..., now: _Optional[bool] = ...) -> None: ...

class UpdateRunResponse(_message.Message):
    __slots__ = ("run", "problems")
    RUN_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    run: Run
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class WrittenRating(_message.Message):
    __slots__ = ("task", "instance", "rater", "rating", "where")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    RATER_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    task: str
    instance: str
    rater: str
    rating: str
    where: str
    def __init__(self, task: _Optional[str] = ..., instance: _Optional[str] = ..., rater: _Optional[str] = ..., rating: _Optional[str] = ..., where: _Optional[str] = ...) -> None: ...

class RescoreRunRequest(_message.Message):
    __slots__ = ("run_id", "ratings")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RATINGS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    ratings: _containers.RepeatedCompositeFieldContainer[WrittenRating]
    def __init__(self, run_id: _Optional[str] = ..., ratings: _Optional[_Iterable[_Union[WrittenRating, _Mapping]]] = ...) -> None: ...

class RescoreRunResponse(_message.Message):
    __slots__ = ("run", "problems")
    RUN_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    run: Run
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class ListAnswersRequest(_message.Message):
    __slots__ = ("run_id", "outcomes", "instance", "judge_failures", "within", "questions", "whole")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    outcomes: _containers.RepeatedScalarFieldContainer[_scorer_pb2.Outcome]
    instance: str
    judge_failures: bool
    within: _containers.RepeatedCompositeFieldContainer[TaskInstances]
    questions: bool
    whole: bool
    def __init__(self, run_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_scorer_pb2.Outcome, str]]] = ..., instance: _Optional[str] = ..., judge_failures: _Optional[bool] = ..., within: _Optional[_Iterable[_Union[TaskInstances, _Mapping]]] = ..., questions: _Optional[bool] = ..., whole: _Optional[bool] = ...) -> None: ...

class CallRecord(_message.Message):
    __slots__ = ("provider_model", "response_id", "request_hash", "parameters_json", "finish_reason", "error_class", "waits", "unknown_calls", "unknown_nano_usd", "unknown_tokens", "excess", "created_s", "fingerprint")
    PROVIDER_MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_HASH_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    ERROR_CLASS_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CALLS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_TOKENS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    CREATED_S_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    provider_model: str
    response_id: str
    request_hash: str
    parameters_json: str
    finish_reason: _gateway_pb2.FinishReason
    error_class: _gateway_pb2.ErrorClass
    waits: int
    unknown_calls: int
    unknown_nano_usd: int
    unknown_tokens: int
    excess: float
    created_s: float
    fingerprint: str
    def __init__(self, provider_model: _Optional[str] = ..., response_id: _Optional[str] = ..., request_hash: _Optional[str] = ..., parameters_json: _Optional[str] = ..., finish_reason: _Optional[_Union[_gateway_pb2.FinishReason, str]] = ..., error_class: _Optional[_Union[_gateway_pb2.ErrorClass, str]] = ..., waits: _Optional[int] = ..., unknown_calls: _Optional[int] = ..., unknown_nano_usd: _Optional[int] = ..., unknown_tokens: _Optional[int] = ..., excess: _Optional[float] = ..., created_s: _Optional[float] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class TaskInstances(_message.Message):
    __slots__ = ("task", "ids")
    TASK_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    task: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class AnswerRating(_message.Message):
    __slots__ = ("judge", "prompt_version", "rater", "rating", "error", "reply", "prompt_hash", "calls", "replies", "usage", "cost_nano_usd", "call")
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    RATER_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    PROMPT_HASH_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    judge: str
    prompt_version: str
    rater: str
    rating: float
    error: str
    reply: str
    prompt_hash: str
    calls: int
    replies: int
    usage: _gateway_pb2.Usage
    cost_nano_usd: int
    call: CallRecord
    def __init__(self, judge: _Optional[str] = ..., prompt_version: _Optional[str] = ..., rater: _Optional[str] = ..., rating: _Optional[float] = ..., error: _Optional[str] = ..., reply: _Optional[str] = ..., prompt_hash: _Optional[str] = ..., calls: _Optional[int] = ..., replies: _Optional[int] = ..., usage: _Optional[_Union[_gateway_pb2.Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ..., call: _Optional[_Union[CallRecord, _Mapping]] = ...) -> None: ...

class ListAnswersResponse(_message.Message):
    __slots__ = ("task", "instance_id", "outcome", "prompt", "raw_answer", "label_json", "error", "attempts", "usage", "cost_nano_usd", "upstream_s", "media", "ratings", "files", "variant", "repeat", "shuffle", "answer_type", "options", "run_id", "question_media", "label_media", "call")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    RAW_ANSWER_FIELD_NUMBER: _ClassVar[int]
    LABEL_JSON_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_S_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    RATINGS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TYPE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_MEDIA_FIELD_NUMBER: _ClassVar[int]
    LABEL_MEDIA_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    task: str
    instance_id: str
    outcome: _scorer_pb2.Outcome
    prompt: str
    raw_answer: str
    label_json: str
    error: str
    attempts: int
    usage: _gateway_pb2.Usage
    cost_nano_usd: int
    upstream_s: float
    media: _containers.RepeatedScalarFieldContainer[str]
    ratings: _containers.RepeatedCompositeFieldContainer[AnswerRating]
    files: _containers.RepeatedCompositeFieldContainer[_scorer_pb2.File]
    variant: int
    repeat: int
    shuffle: int
    answer_type: str
    options: _containers.RepeatedScalarFieldContainer[str]
    run_id: str
    question_media: _containers.RepeatedCompositeFieldContainer[MediaFact]
    label_media: _containers.RepeatedCompositeFieldContainer[MediaFact]
    call: CallRecord
    def __init__(self, task: _Optional[str] = ..., instance_id: _Optional[str] = ..., outcome: _Optional[_Union[_scorer_pb2.Outcome, str]] = ..., prompt: _Optional[str] = ..., raw_answer: _Optional[str] = ..., label_json: _Optional[str] = ..., error: _Optional[str] = ..., attempts: _Optional[int] = ..., usage: _Optional[_Union[_gateway_pb2.Usage, _Mapping]] = ..., cost_nano_usd: _Optional[int] = ..., upstream_s: _Optional[float] = ..., media: _Optional[_Iterable[str]] = ..., ratings: _Optional[_Iterable[_Union[AnswerRating, _Mapping]]] = ..., files: _Optional[_Iterable[_Union[_scorer_pb2.File, _Mapping]]] = ..., variant: _Optional[int] = ..., repeat: _Optional[int] = ..., shuffle: _Optional[int] = ..., answer_type: _Optional[str] = ..., options: _Optional[_Iterable[str]] = ..., run_id: _Optional[str] = ..., question_media: _Optional[_Iterable[_Union[MediaFact, _Mapping]]] = ..., label_media: _Optional[_Iterable[_Union[MediaFact, _Mapping]]] = ..., call: _Optional[_Union[CallRecord, _Mapping]] = ...) -> None: ...

class MediaFact(_message.Message):
    __slots__ = ("name", "mime_type", "bytes", "width", "height")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    name: str
    mime_type: str
    bytes: int
    width: int
    height: int
    def __init__(self, name: _Optional[str] = ..., mime_type: _Optional[str] = ..., bytes: _Optional[int] = ..., width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class SearchAnswersRequest(_message.Message):
    __slots__ = ("run_id", "tasks", "outcomes", "rightness", "least_score", "most_score", "text", "order", "limit", "after")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    RIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    LEAST_SCORE_FIELD_NUMBER: _ClassVar[int]
    MOST_SCORE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    tasks: _containers.RepeatedScalarFieldContainer[str]
    outcomes: _containers.RepeatedScalarFieldContainer[_scorer_pb2.Outcome]
    rightness: _containers.RepeatedScalarFieldContainer[Rightness]
    least_score: float
    most_score: float
    text: str
    order: AnswerOrder
    limit: int
    after: str
    def __init__(self, run_id: _Optional[str] = ..., tasks: _Optional[_Iterable[str]] = ..., outcomes: _Optional[_Iterable[_Union[_scorer_pb2.Outcome, str]]] = ..., rightness: _Optional[_Iterable[_Union[Rightness, str]]] = ..., least_score: _Optional[float] = ..., most_score: _Optional[float] = ..., text: _Optional[str] = ..., order: _Optional[_Union[AnswerOrder, str]] = ..., limit: _Optional[int] = ..., after: _Optional[str] = ...) -> None: ...

class FoundAnswer(_message.Message):
    __slots__ = ("task", "instance_id", "variant", "repeat", "shuffle", "outcome", "rightness", "score", "best", "excerpt", "question", "error", "attempts", "cost_nano_usd", "upstream_s", "created_s", "files")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_S_FIELD_NUMBER: _ClassVar[int]
    CREATED_S_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    task: str
    instance_id: str
    variant: int
    repeat: int
    shuffle: int
    outcome: _scorer_pb2.Outcome
    rightness: Rightness
    score: float
    best: float
    excerpt: str
    question: str
    error: str
    attempts: int
    cost_nano_usd: int
    upstream_s: float
    created_s: float
    files: int
    def __init__(self, task: _Optional[str] = ..., instance_id: _Optional[str] = ..., variant: _Optional[int] = ..., repeat: _Optional[int] = ..., shuffle: _Optional[int] = ..., outcome: _Optional[_Union[_scorer_pb2.Outcome, str]] = ..., rightness: _Optional[_Union[Rightness, str]] = ..., score: _Optional[float] = ..., best: _Optional[float] = ..., excerpt: _Optional[str] = ..., question: _Optional[str] = ..., error: _Optional[str] = ..., attempts: _Optional[int] = ..., cost_nano_usd: _Optional[int] = ..., upstream_s: _Optional[float] = ..., created_s: _Optional[float] = ..., files: _Optional[int] = ...) -> None: ...

class FoundTask(_message.Message):
    __slots__ = ("task", "answers", "right", "wrong")
    TASK_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    WRONG_FIELD_NUMBER: _ClassVar[int]
    task: str
    answers: int
    right: int
    wrong: int
    def __init__(self, task: _Optional[str] = ..., answers: _Optional[int] = ..., right: _Optional[int] = ..., wrong: _Optional[int] = ...) -> None: ...

class SearchAnswersResponse(_message.Message):
    __slots__ = ("run_id", "answers", "found", "next", "tasks", "unscored", "indexing")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    UNSCORED_FIELD_NUMBER: _ClassVar[int]
    INDEXING_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    answers: _containers.RepeatedCompositeFieldContainer[FoundAnswer]
    found: int
    next: str
    tasks: _containers.RepeatedCompositeFieldContainer[FoundTask]
    unscored: int
    indexing: bool
    def __init__(self, run_id: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[FoundAnswer, _Mapping]]] = ..., found: _Optional[int] = ..., next: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[FoundTask, _Mapping]]] = ..., unscored: _Optional[int] = ..., indexing: _Optional[bool] = ...) -> None: ...

class ReadMediaRequest(_message.Message):
    __slots__ = ("run_id", "task", "instance_id", "variant", "repeat", "shuffle", "of", "position", "offset", "length")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    task: str
    instance_id: str
    variant: int
    repeat: int
    shuffle: int
    of: MediaOf
    position: int
    offset: int
    length: int
    def __init__(self, run_id: _Optional[str] = ..., task: _Optional[str] = ..., instance_id: _Optional[str] = ..., variant: _Optional[int] = ..., repeat: _Optional[int] = ..., shuffle: _Optional[int] = ..., of: _Optional[_Union[MediaOf, str]] = ..., position: _Optional[int] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...

class ReadMediaResponse(_message.Message):
    __slots__ = ("media", "data")
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    media: MediaFact
    data: bytes
    def __init__(self, media: _Optional[_Union[MediaFact, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class GetTrafficRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class TrafficSpan(_message.Message):
    __slots__ = ("start_s", "width_s", "seen_s", "calls", "limited", "failures", "account_calls", "account", "in_flight", "concurrency", "pace", "stated", "waits_s")
    class WaitsSEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    START_S_FIELD_NUMBER: _ClassVar[int]
    WIDTH_S_FIELD_NUMBER: _ClassVar[int]
    SEEN_S_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    LIMITED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_CALLS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    STATED_FIELD_NUMBER: _ClassVar[int]
    WAITS_S_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    width_s: float
    seen_s: float
    calls: int
    limited: int
    failures: int
    account_calls: int
    account: str
    in_flight: float
    concurrency: float
    pace: float
    stated: bool
    waits_s: _containers.ScalarMap[str, float]
    def __init__(self, start_s: _Optional[float] = ..., width_s: _Optional[float] = ..., seen_s: _Optional[float] = ..., calls: _Optional[int] = ..., limited: _Optional[int] = ..., failures: _Optional[int] = ..., account_calls: _Optional[int] = ..., account: _Optional[str] = ..., in_flight: _Optional[float] = ..., concurrency: _Optional[float] = ..., pace: _Optional[float] = ..., stated: _Optional[bool] = ..., waits_s: _Optional[_Mapping[str, float]] = ...) -> None: ...

class KeptLimits(_message.Message):
    __slots__ = ("account", "at_s", "rate", "concurrency")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    account: str
    at_s: float
    rate: float
    concurrency: float
    def __init__(self, account: _Optional[str] = ..., at_s: _Optional[float] = ..., rate: _Optional[float] = ..., concurrency: _Optional[float] = ...) -> None: ...

class GetTrafficResponse(_message.Message):
    __slots__ = ("run_id", "spans", "kept")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    spans: _containers.RepeatedCompositeFieldContainer[TrafficSpan]
    kept: KeptLimits
    def __init__(self, run_id: _Optional[str] = ..., spans: _Optional[_Iterable[_Union[TrafficSpan, _Mapping]]] = ..., kept: _Optional[_Union[KeptLimits, _Mapping]] = ...) -> None: ...

class ListWorkersRequest(_message.Message):
    __slots__ = ("dead_letters",)
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    dead_letters: int
    def __init__(self, dead_letters: _Optional[int] = ...) -> None: ...

class ListWorkersResponse(_message.Message):
    __slots__ = ("workers", "shared", "queue_problem", "topics", "dead", "dead_letters")
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    QUEUE_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    shared: bool
    queue_problem: str
    topics: _containers.RepeatedCompositeFieldContainer[QueueTopic]
    dead: int
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    def __init__(self, workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ..., shared: _Optional[bool] = ..., queue_problem: _Optional[str] = ..., topics: _Optional[_Iterable[_Union[QueueTopic, _Mapping]]] = ..., dead: _Optional[int] = ..., dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ("name", "service", "version", "host", "started", "seen", "lost", "asks", "scores", "device", "problem", "runs", "scoring", "more_runs", "more_scoring", "age_s")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    SCORING_FIELD_NUMBER: _ClassVar[int]
    MORE_RUNS_FIELD_NUMBER: _ClassVar[int]
    MORE_SCORING_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    name: str
    service: str
    version: str
    host: str
    started: _timestamp_pb2.Timestamp
    seen: _timestamp_pb2.Timestamp
    lost: bool
    asks: bool
    scores: _containers.RepeatedScalarFieldContainer[str]
    device: str
    problem: str
    runs: _containers.RepeatedCompositeFieldContainer[RunPart]
    scoring: _containers.RepeatedCompositeFieldContainer[ScoredTask]
    more_runs: int
    more_scoring: int
    age_s: float
    def __init__(self, name: _Optional[str] = ..., service: _Optional[str] = ..., version: _Optional[str] = ..., host: _Optional[str] = ..., started: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lost: _Optional[bool] = ..., asks: _Optional[bool] = ..., scores: _Optional[_Iterable[str]] = ..., device: _Optional[str] = ..., problem: _Optional[str] = ..., runs: _Optional[_Iterable[_Union[RunPart, _Mapping]]] = ..., scoring: _Optional[_Iterable[_Union[ScoredTask, _Mapping]]] = ..., more_runs: _Optional[int] = ..., more_scoring: _Optional[int] = ..., age_s: _Optional[float] = ...) -> None: ...

class RunPart(_message.Message):
    __slots__ = ("run_id", "leads", "in_flight", "rate", "shards")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    LEADS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    leads: bool
    in_flight: int
    rate: float
    shards: int
    def __init__(self, run_id: _Optional[str] = ..., leads: _Optional[bool] = ..., in_flight: _Optional[int] = ..., rate: _Optional[float] = ..., shards: _Optional[int] = ...) -> None: ...

class ScoredTask(_message.Message):
    __slots__ = ("run_id", "task")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    task: str
    def __init__(self, run_id: _Optional[str] = ..., task: _Optional[str] = ...) -> None: ...

class QueueTopic(_message.Message):
    __slots__ = ("name", "waiting", "in_hand")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    IN_HAND_FIELD_NUMBER: _ClassVar[int]
    name: str
    waiting: int
    in_hand: int
    def __init__(self, name: _Optional[str] = ..., waiting: _Optional[int] = ..., in_hand: _Optional[int] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("key", "topic", "reason", "tries", "at", "body")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TRIES_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    key: str
    topic: str
    reason: str
    tries: int
    at: _timestamp_pb2.Timestamp
    body: str
    def __init__(self, key: _Optional[str] = ..., topic: _Optional[str] = ..., reason: _Optional[str] = ..., tries: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., body: _Optional[str] = ...) -> None: ...

class ChangeDeadLetterRequest(_message.Message):
    __slots__ = ("key", "change")
    KEY_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    key: str
    change: DeadLetterChange
    def __init__(self, key: _Optional[str] = ..., change: _Optional[_Union[DeadLetterChange, str]] = ...) -> None: ...

class ChangeDeadLetterResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
