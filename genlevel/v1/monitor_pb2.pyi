import datetime

from genlevel.v1 import evaluator_pb2 as _evaluator_pb2
from genlevel.v1 import gateway_pb2 as _gateway_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MonitorState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MONITOR_STATE_UNSPECIFIED: _ClassVar[MonitorState]
    MONITOR_STATE_BASELINE: _ClassVar[MonitorState]
    MONITOR_STATE_WATCHING: _ClassVar[MonitorState]
    MONITOR_STATE_PAUSED: _ClassVar[MonitorState]
    MONITOR_STATE_FAILED: _ClassVar[MonitorState]

class TickOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICK_OUTCOME_UNSPECIFIED: _ClassVar[TickOutcome]
    TICK_OUTCOME_OPEN: _ClassVar[TickOutcome]
    TICK_OUTCOME_COMPLETE: _ClassVar[TickOutcome]
    TICK_OUTCOME_PARTIAL: _ClassVar[TickOutcome]
    TICK_OUTCOME_OUTAGE: _ClassVar[TickOutcome]
    TICK_OUTCOME_FAILED: _ClassVar[TickOutcome]
MONITOR_STATE_UNSPECIFIED: MonitorState
MONITOR_STATE_BASELINE: MonitorState
MONITOR_STATE_WATCHING: MonitorState
MONITOR_STATE_PAUSED: MonitorState
MONITOR_STATE_FAILED: MonitorState
TICK_OUTCOME_UNSPECIFIED: TickOutcome
TICK_OUTCOME_OPEN: TickOutcome
TICK_OUTCOME_COMPLETE: TickOutcome
TICK_OUTCOME_PARTIAL: TickOutcome
TICK_OUTCOME_OUTAGE: TickOutcome
TICK_OUTCOME_FAILED: TickOutcome

class MonitorSpecification(_message.Message):
    __slots__ = ("asked", "every", "time_zone", "sample", "pool", "budget_nano_usd", "baseline", "baseline_repeats", "panel", "tolerance", "horizon_s", "alpha", "destinations", "unpriced_ok")
    ASKED_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    BUDGET_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_REPEATS_FIELD_NUMBER: _ClassVar[int]
    PANEL_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    HORIZON_S_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_OK_FIELD_NUMBER: _ClassVar[int]
    asked: _evaluator_pb2.RunSpecification
    every: str
    time_zone: str
    sample: int
    pool: int
    budget_nano_usd: int
    baseline: str
    baseline_repeats: int
    panel: bool
    tolerance: float
    horizon_s: int
    alpha: float
    destinations: _containers.RepeatedScalarFieldContainer[str]
    unpriced_ok: bool
    def __init__(self, asked: _Optional[_Union[_evaluator_pb2.RunSpecification, _Mapping]] = ..., every: _Optional[str] = ..., time_zone: _Optional[str] = ..., sample: _Optional[int] = ..., pool: _Optional[int] = ..., budget_nano_usd: _Optional[int] = ..., baseline: _Optional[str] = ..., baseline_repeats: _Optional[int] = ..., panel: _Optional[bool] = ..., tolerance: _Optional[float] = ..., horizon_s: _Optional[int] = ..., alpha: _Optional[float] = ..., destinations: _Optional[_Iterable[str]] = ..., unpriced_ok: _Optional[bool] = ...) -> None: ...

class PlanMonitorRequest(_message.Message):
    __slots__ = ("name", "specification")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    specification: MonitorSpecification
    def __init__(self, name: _Optional[str] = ..., specification: _Optional[_Union[MonitorSpecification, _Mapping]] = ...) -> None: ...

class PlannedDelay(_message.Message):
    __slots__ = ("group", "drop", "ticks", "days")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DROP_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    group: str
    drop: float
    ticks: float
    days: float
    def __init__(self, group: _Optional[str] = ..., drop: _Optional[float] = ..., ticks: _Optional[float] = ..., days: _Optional[float] = ...) -> None: ...

class PlanMonitorResponse(_message.Message):
    __slots__ = ("ticks_a_year", "horizon_ticks", "sample", "pool", "groups", "tick_nano_usd", "day_nano_usd", "year_nano_usd", "baseline_nano_usd", "false_alarms_a_year", "delays", "problems", "model", "baseline_calls")
    TICKS_A_YEAR_FIELD_NUMBER: _ClassVar[int]
    HORIZON_TICKS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    TICK_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    DAY_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    YEAR_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    BASELINE_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    FALSE_ALARMS_A_YEAR_FIELD_NUMBER: _ClassVar[int]
    DELAYS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    BASELINE_CALLS_FIELD_NUMBER: _ClassVar[int]
    ticks_a_year: float
    horizon_ticks: int
    sample: int
    pool: int
    groups: _containers.RepeatedCompositeFieldContainer[PlannedGroup]
    tick_nano_usd: int
    day_nano_usd: int
    year_nano_usd: int
    baseline_nano_usd: int
    false_alarms_a_year: float
    delays: _containers.RepeatedCompositeFieldContainer[PlannedDelay]
    problems: _containers.RepeatedScalarFieldContainer[str]
    model: _gateway_pb2.ModelInfo
    baseline_calls: int
    def __init__(self, ticks_a_year: _Optional[float] = ..., horizon_ticks: _Optional[int] = ..., sample: _Optional[int] = ..., pool: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[PlannedGroup, _Mapping]]] = ..., tick_nano_usd: _Optional[int] = ..., day_nano_usd: _Optional[int] = ..., year_nano_usd: _Optional[int] = ..., baseline_nano_usd: _Optional[int] = ..., false_alarms_a_year: _Optional[float] = ..., delays: _Optional[_Iterable[_Union[PlannedDelay, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ..., model: _Optional[_Union[_gateway_pb2.ModelInfo, _Mapping]] = ..., baseline_calls: _Optional[int] = ...) -> None: ...

class PlannedGroup(_message.Message):
    __slots__ = ("group", "instances")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    group: str
    instances: int
    def __init__(self, group: _Optional[str] = ..., instances: _Optional[int] = ...) -> None: ...

class AddMonitorRequest(_message.Message):
    __slots__ = ("name", "specification")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    specification: MonitorSpecification
    def __init__(self, name: _Optional[str] = ..., specification: _Optional[_Union[MonitorSpecification, _Mapping]] = ...) -> None: ...

class AddMonitorResponse(_message.Message):
    __slots__ = ("monitor", "problems")
    MONITOR_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    monitor: Monitor
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, monitor: _Optional[_Union[Monitor, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class Monitor(_message.Message):
    __slots__ = ("name", "specification", "state", "reason", "declared", "created", "next_tick", "last_tick", "ticks", "missed", "cost_nano_usd", "spent_today_nano_usd", "baseline_run", "alarms", "suite_hash", "open_tick")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    NEXT_TICK_FIELD_NUMBER: _ClassVar[int]
    LAST_TICK_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    SPENT_TODAY_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    BASELINE_RUN_FIELD_NUMBER: _ClassVar[int]
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    OPEN_TICK_FIELD_NUMBER: _ClassVar[int]
    name: str
    specification: MonitorSpecification
    state: MonitorState
    reason: str
    declared: bool
    created: _timestamp_pb2.Timestamp
    next_tick: _timestamp_pb2.Timestamp
    last_tick: _timestamp_pb2.Timestamp
    ticks: int
    missed: int
    cost_nano_usd: int
    spent_today_nano_usd: int
    baseline_run: str
    alarms: int
    suite_hash: str
    open_tick: int
    def __init__(self, name: _Optional[str] = ..., specification: _Optional[_Union[MonitorSpecification, _Mapping]] = ..., state: _Optional[_Union[MonitorState, str]] = ..., reason: _Optional[str] = ..., declared: _Optional[bool] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_tick: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_tick: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ticks: _Optional[int] = ..., missed: _Optional[int] = ..., cost_nano_usd: _Optional[int] = ..., spent_today_nano_usd: _Optional[int] = ..., baseline_run: _Optional[str] = ..., alarms: _Optional[int] = ..., suite_hash: _Optional[str] = ..., open_tick: _Optional[int] = ...) -> None: ...

class ListMonitorsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMonitorsResponse(_message.Message):
    __slots__ = ("monitors",)
    MONITORS_FIELD_NUMBER: _ClassVar[int]
    monitors: _containers.RepeatedCompositeFieldContainer[Monitor]
    def __init__(self, monitors: _Optional[_Iterable[_Union[Monitor, _Mapping]]] = ...) -> None: ...

class GetMonitorRequest(_message.Message):
    __slots__ = ("name", "ticks", "groups")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    name: str
    ticks: int
    groups: bool
    def __init__(self, name: _Optional[str] = ..., ticks: _Optional[int] = ..., groups: _Optional[bool] = ...) -> None: ...

class MonitorCheck(_message.Message):
    __slots__ = ("signal", "direction", "log_evidence", "log_threshold")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    LOG_EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    LOG_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    signal: str
    direction: str
    log_evidence: float
    log_threshold: float
    def __init__(self, signal: _Optional[str] = ..., direction: _Optional[str] = ..., log_evidence: _Optional[float] = ..., log_threshold: _Optional[float] = ...) -> None: ...

class MonitorGroup(_message.Message):
    __slots__ = ("group", "instances", "score", "baseline", "drop", "low", "high", "checks")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    DROP_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    group: str
    instances: int
    score: float
    baseline: float
    drop: float
    low: float
    high: float
    checks: _containers.RepeatedCompositeFieldContainer[MonitorCheck]
    def __init__(self, group: _Optional[str] = ..., instances: _Optional[int] = ..., score: _Optional[float] = ..., baseline: _Optional[float] = ..., drop: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., checks: _Optional[_Iterable[_Union[MonitorCheck, _Mapping]]] = ...) -> None: ...

class MonitorTick(_message.Message):
    __slots__ = ("number", "outcome", "reason", "due", "ended", "run_id", "instances", "failed", "score", "drop", "cost_nano_usd", "groups")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    DROP_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    number: int
    outcome: TickOutcome
    reason: str
    due: _timestamp_pb2.Timestamp
    ended: _timestamp_pb2.Timestamp
    run_id: str
    instances: int
    failed: int
    score: float
    drop: float
    cost_nano_usd: int
    groups: _containers.RepeatedCompositeFieldContainer[MonitorGroup]
    def __init__(self, number: _Optional[int] = ..., outcome: _Optional[_Union[TickOutcome, str]] = ..., reason: _Optional[str] = ..., due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run_id: _Optional[str] = ..., instances: _Optional[int] = ..., failed: _Optional[int] = ..., score: _Optional[float] = ..., drop: _Optional[float] = ..., cost_nano_usd: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[MonitorGroup, _Mapping]]] = ...) -> None: ...

class ChangedTask(_message.Message):
    __slots__ = ("task", "instances", "before", "now")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    task: str
    instances: int
    before: float
    now: float
    def __init__(self, task: _Optional[str] = ..., instances: _Optional[int] = ..., before: _Optional[float] = ..., now: _Optional[float] = ...) -> None: ...

class ChangedInstance(_message.Message):
    __slots__ = ("task", "instance_id", "score_before", "score_now", "answer_before", "answer_now")
    TASK_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SCORE_NOW_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_NOW_FIELD_NUMBER: _ClassVar[int]
    task: str
    instance_id: str
    score_before: float
    score_now: float
    answer_before: str
    answer_now: str
    def __init__(self, task: _Optional[str] = ..., instance_id: _Optional[str] = ..., score_before: _Optional[float] = ..., score_now: _Optional[float] = ..., answer_before: _Optional[str] = ..., answer_now: _Optional[str] = ...) -> None: ...

class MonitorAlarm(_message.Message):
    __slots__ = ("id", "kind", "signal", "group", "what", "raised", "tick", "tick_run", "estimate", "low", "high", "unit", "since", "since_tick", "tasks", "instances", "acknowledged", "acknowledged_by", "note", "deliveries")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    RAISED_FIELD_NUMBER: _ClassVar[int]
    TICK_FIELD_NUMBER: _ClassVar[int]
    TICK_RUN_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SINCE_TICK_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    signal: str
    group: str
    what: str
    raised: _timestamp_pb2.Timestamp
    tick: int
    tick_run: str
    estimate: float
    low: float
    high: float
    unit: str
    since: _timestamp_pb2.Timestamp
    since_tick: int
    tasks: _containers.RepeatedCompositeFieldContainer[ChangedTask]
    instances: _containers.RepeatedCompositeFieldContainer[ChangedInstance]
    acknowledged: _timestamp_pb2.Timestamp
    acknowledged_by: str
    note: str
    deliveries: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., signal: _Optional[str] = ..., group: _Optional[str] = ..., what: _Optional[str] = ..., raised: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tick: _Optional[int] = ..., tick_run: _Optional[str] = ..., estimate: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., unit: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., since_tick: _Optional[int] = ..., tasks: _Optional[_Iterable[_Union[ChangedTask, _Mapping]]] = ..., instances: _Optional[_Iterable[_Union[ChangedInstance, _Mapping]]] = ..., acknowledged: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_by: _Optional[str] = ..., note: _Optional[str] = ..., deliveries: _Optional[_Iterable[str]] = ...) -> None: ...

class MonitorEvent(_message.Message):
    __slots__ = ("at", "kind", "what")
    AT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    kind: str
    what: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[str] = ..., what: _Optional[str] = ...) -> None: ...

class GetMonitorResponse(_message.Message):
    __slots__ = ("monitor", "groups", "ticks", "alarms", "events")
    MONITOR_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    monitor: Monitor
    groups: _containers.RepeatedCompositeFieldContainer[MonitorGroup]
    ticks: _containers.RepeatedCompositeFieldContainer[MonitorTick]
    alarms: _containers.RepeatedCompositeFieldContainer[MonitorAlarm]
    events: _containers.RepeatedCompositeFieldContainer[MonitorEvent]
    def __init__(self, monitor: _Optional[_Union[Monitor, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[MonitorGroup, _Mapping]]] = ..., ticks: _Optional[_Iterable[_Union[MonitorTick, _Mapping]]] = ..., alarms: _Optional[_Iterable[_Union[MonitorAlarm, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[MonitorEvent, _Mapping]]] = ...) -> None: ...

class PauseMonitorRequest(_message.Message):
    __slots__ = ("name", "paused")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    name: str
    paused: bool
    def __init__(self, name: _Optional[str] = ..., paused: _Optional[bool] = ...) -> None: ...

class PauseMonitorResponse(_message.Message):
    __slots__ = ("monitor",)
    MONITOR_FIELD_NUMBER: _ClassVar[int]
    monitor: Monitor
    def __init__(self, monitor: _Optional[_Union[Monitor, _Mapping]] = ...) -> None: ...

class RunMonitorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RunMonitorResponse(_message.Message):
    __slots__ = ("tick",)
    TICK_FIELD_NUMBER: _ClassVar[int]
    tick: int
    def __init__(self, tick: _Optional[int] = ...) -> None: ...

class AcknowledgeAlarmsRequest(_message.Message):
    __slots__ = ("name", "alarms", "note")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    name: str
    alarms: _containers.RepeatedScalarFieldContainer[str]
    note: str
    def __init__(self, name: _Optional[str] = ..., alarms: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ...) -> None: ...

class AcknowledgeAlarmsResponse(_message.Message):
    __slots__ = ("monitor", "acknowledged")
    MONITOR_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    monitor: Monitor
    acknowledged: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, monitor: _Optional[_Union[Monitor, _Mapping]] = ..., acknowledged: _Optional[_Iterable[str]] = ...) -> None: ...

class RebaseMonitorRequest(_message.Message):
    __slots__ = ("name", "baseline", "baseline_repeats")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_REPEATS_FIELD_NUMBER: _ClassVar[int]
    name: str
    baseline: str
    baseline_repeats: int
    def __init__(self, name: _Optional[str] = ..., baseline: _Optional[str] = ..., baseline_repeats: _Optional[int] = ...) -> None: ...

class RebaseMonitorResponse(_message.Message):
    __slots__ = ("monitor", "problems")
    MONITOR_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    monitor: Monitor
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, monitor: _Optional[_Union[Monitor, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveMonitorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RemoveMonitorResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TestAlarmRequest(_message.Message):
    __slots__ = ("name", "destination")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    destination: str
    def __init__(self, name: _Optional[str] = ..., destination: _Optional[str] = ...) -> None: ...

class TestedDestination(_message.Message):
    __slots__ = ("destination", "problem")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    destination: str
    problem: str
    def __init__(self, destination: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class TestAlarmResponse(_message.Message):
    __slots__ = ("destinations",)
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    destinations: _containers.RepeatedCompositeFieldContainer[TestedDestination]
    def __init__(self, destinations: _Optional[_Iterable[_Union[TestedDestination, _Mapping]]] = ...) -> None: ...
