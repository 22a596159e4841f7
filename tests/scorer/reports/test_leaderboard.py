"""Leaderboards: which tasks a board is over, who stands where, and how published figures stand beside measured ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Benchmark, Modality, Paradigm
from genlevel.runtime.errors import DatasetError, UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.published import publication, published_model
from scorer.levels.rules import levels
from scorer.reports.certified_levels import Certified, CertifiedLevel
from scorer.reports.leaderboard import (
    Board,
    Candidate,
    Entry,
    Scope,
    level_list,
    make_board,
    measured_entry,
    own_board,
    published_entry,
    rank,
)
from scorer.reports.leaderboard_report import build_leaderboard, candidate_of, leaderboard_json
from scorer.runs.standings import standing_of_verdict
from scorer.tasks import TaskIndex

BENCHMARK = general_bench()
GPT_4V = published_model("GPT-4V").values


def board(**filters) -> Board:
    return make_board(BENCHMARK, **filters)


def entry(model: str, *scores: float) -> Entry:
    return Entry(model, False, dict(zip((2, 3, 4, 5), scores, strict=True)), 0, 0)


def test_boards_are_over_the_tasks_of_their_scope():
    assert len(board().counted) == 699
    image = board(modalities=[Modality.IMAGE])
    assert (image.scope, len(image.counted), len(image.language), image.levels) == (Scope.MODALITIES, 316, 115, (2, 3, 4, 5))
    assert len(board(modalities=[Modality.AUDIO, Modality.VIDEO]).counted) == 172 + 44
    video = board(modalities=[Modality.VIDEO], paradigm=Paradigm.GENERATION)
    assert (video.scope, len(video.counted), video.levels) == (Scope.PARADIGM, 46, (2, 3))
    assert len(board(modalities=[Modality.LANGUAGE]).counted) == 115
    skill = board(skill="i-c-26")
    assert (skill.scope, len(skill.counted), skill.title, skill.levels) == (Scope.SKILL, 37, "Object Detection (I-C-26)", (2, 3))
    assert board(skill="3d detection").skill_id == "D-C-11"


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"scope": Scope.FULL, "modalities": [Modality.IMAGE]}, "scope A"),
        ({"scope": Scope.MODALITIES}, "needs one --modality"),
        ({"scope": Scope.MODALITIES, "modalities": [Modality.LANGUAGE]}, "--scope C --modality language"),
        ({"scope": Scope.MODALITIES, "modalities": [Modality.IMAGE], "paradigm": Paradigm.GENERATION}, "leave out --paradigm"),
        ({"paradigm": Paradigm.GENERATION}, "one --modality"),
        ({"scope": Scope.PARADIGM, "modalities": [Modality.IMAGE]}, "needs --paradigm"),
        ({"modalities": [Modality.LANGUAGE], "paradigm": Paradigm.GENERATION}, "no paradigm"),
        ({"scope": Scope.SKILL}, "--skill"),
        ({"scope": Scope.FULL, "skill": "I-C-1"}, "scope D"),
        ({"skill": "detection"}, "name one"),
        ({"skill": "I-C-1", "modalities": [Modality.AUDIO]}, "not in that modality"),
    ],
)
def test_filters_that_do_not_fit_are_refused_with_what_to_do(filters, said):
    with pytest.raises(UsageError, match=said):
        board(**filters)


def test_a_skill_that_does_not_exist_is_refused():
    with pytest.raises(DatasetError, match="juggling"):
        board(skill="juggling")


def test_models_stand_on_their_highest_level_and_are_ranked_there():
    standings = rank(
        [entry("a", 9, 0, 0, 0), entry("b", 3, 1, 0, 0), entry("c", 5, 2, 0, 0), entry("d", 0, 0, 0, 0), entry("e", 1, 1, 1, 0)],
        (2, 3, 4, 5),
    )
    assert [(s.entry.model, s.entry.level, s.rank) for s in standings] == [
        ("e", 4, 1),
        ("c", 3, 1),
        ("b", 3, 2),
        ("a", 2, 1),
        ("d", None, None),
    ]
    assert {s.entry.model: dict(s.ranks) for s in standings} == {
        "e": {2: 4, 3: 2, 4: 1},
        "c": {2: 2, 3: 1},
        "b": {2: 3, 3: 2},
        "a": {2: 1},
        "d": {},
    }
    assert [s.entry.model for s in level_list(standings, 2)] == ["a", "c", "b", "e"]
    assert [s.entry.model for s in level_list(standings, 5)] == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), max_size=12), st.randoms())
def test_standings_do_not_depend_on_the_order_of_the_models(scores, shuffler: random.Random):
    entries = [entry(f"model {index}", *map(float, row)) for index, row in enumerate(scores)]
    shuffled = list(entries)
    shuffler.shuffle(shuffled)
    standings = rank(entries, (2, 3, 4, 5))
    assert rank(shuffled, (2, 3, 4, 5)) == standings
    for standing in standings:
        for level, place in standing.ranks.items():
            better = sum(other.scores[level] > standing.entry.scores[level] for other in entries)
            assert place == better + 1
        same_level = [other for other in entries if other.level == standing.entry.level]
        if standing.entry.level is not None:
            assert standing.rank == 1 + sum(
                other.scores[standing.entry.level] > standing.entry.scores[standing.entry.level] for other in same_level
            )


def test_a_measured_model_stands_with_its_levels_and_counts():
    candidate = Candidate("m", "run", "suite", dict(GPT_4V))
    found = measured_entry(board(), candidate)
    expected = levels(BENCHMARK, GPT_4V)
    assert found is not None
    assert found.scores == expected.scores
    assert (found.supported, found.wins, found.asked) == (177 + 113, 105 + 14, 290)
    assert found.partial
    image = measured_entry(board(modalities=[Modality.IMAGE]), candidate)
    assert image is not None
    assert image.scores[2] == pytest.approx(expected.scores[2] * 4)
    assert (image.supported, image.wins) == (177, 105)
    assert measured_entry(board(modalities=[Modality.VIDEO]), candidate) is None


def test_one_paradigm_is_not_halved_for_the_other():
    board_c = board(modalities=[Modality.IMAGE], paradigm=Paradigm.COMPREHENSION)
    found = measured_entry(board_c, Candidate("m", "run", "suite", dict(GPT_4V)))
    whole = measured_entry(board(modalities=[Modality.IMAGE]), Candidate("m", "run", "suite", dict(GPT_4V)))
    assert found is not None
    assert whole is not None
    assert found.scores == pytest.approx({2: 2 * whole.scores[2], 3: 2 * whole.scores[3]})


def test_level_5_of_a_modality_board_has_the_weight_of_language():
    values = published_model("Emu2-37B").values
    found = measured_entry(board(modalities=[Modality.IMAGE]), Candidate("m", "run", "suite", values))
    assert found is not None
    assert found.scores[5] == pytest.approx(found.scores[4] * levels(BENCHMARK, values).language.weight)
    assert found.level == 5


def test_a_model_asked_all_of_a_board_is_not_partial_there():
    skill = board(skill="I-C-26")
    values = dict.fromkeys((task.id for task in skill.tasks), 50.0)
    whole = measured_entry(skill, Candidate("m", "run", "suite", values))
    limited = measured_entry(skill, Candidate("m", "run", "suite", values, partial_tasks=frozenset({skill.tasks[0].id})))
    open_ones = measured_entry(skill, Candidate("m", "run", "suite", values, incomplete_tasks=frozenset({skill.tasks[0].id})))
    assert whole is not None
    assert limited is not None
    assert open_ones is not None
    assert (whole.partial, limited.partial, open_ones.incomplete) == (False, True, True)


def test_published_models_have_their_printed_scores_and_counts_where_tasks_are_known():
    full = board()
    entries = {found.model: found for model in publication().models if (found := published_entry(full, model)) is not None}
    assert len(entries) == 48
    assert all(found.published and not found.run for found in entries.values())
    assert entries["GPT-4V"].scores == {2: 4.54, 3: 3.21, 4: 0.0, 5: 0.0}
    assert entries["GPT-4V"].wins == 119
    assert entries["GPT-4o"].wins is None
    assert entries["InternVL-2.5-26B"].supported is None
    assert {found.model for found in entries.values() if found.level == 4} == {"Mini-Gemini", "Emu2-37B"}
    assert not any(found.level == 5 for found in entries.values())


def test_a_published_model_is_on_the_boards_of_its_modalities_only():
    audio = board(modalities=[Modality.AUDIO])
    names = {model.model for model in publication().models if published_entry(audio, model) is not None}
    assert "Qwen-Audio-Chat" in names
    assert "GPT-4V" not in names
    two = published_entry(board(modalities=[Modality.IMAGE, Modality.VIDEO]), published_model("InternVL2_5-8B"))
    assert two is not None
    assert two.scores[2] == pytest.approx((25.2 + 8.44) / 2)


def test_scopes_c_and_d_place_published_models_by_their_tasks_and_name_those_they_cannot():
    found = build_leaderboard(board(modalities=[Modality.IMAGE], paradigm=Paradigm.COMPREHENSION), [], published=True)
    assert [standing.entry.model for standing in found.standings][:2] == ["GPT-4V", "Qwen2-VL-72B"]
    assert "GPT-4o" in found.unplaced
    assert "InternVL-2.5-26B" in found.unplaced
    assert "not published" in found.notes[0]
    generation = build_leaderboard(board(modalities=[Modality.IMAGE], paradigm=Paradigm.GENERATION), [], published=True)
    assert "GPT-4o" not in generation.unplaced
    assert "Mini-Gemini" in generation.unplaced
    count = len(generation.unplaced)
    assert generation.notes == (f"{count} published models score on image, but their values of single tasks were not published: left out",)
    assert build_leaderboard(board(), [], published=True).unplaced == ()


def test_the_list_of_a_level_has_all_that_score_there():
    found = leaderboard_json(build_leaderboard(board(), [], published=True, level=3))
    models = found["models"]
    assert [model["model"] for model in models[:3]] == ["Qwen2-VL-72B", "Mini-Gemini", "InternVL2_5-8B"]
    assert [model["rank"] for model in models[:3]] == [1, 2, 3]
    assert all(model["scores"]["3"] > 0 for model in models)
    assert models == sorted(models, key=lambda model: -model["scores"]["3"])


def test_a_level_that_the_scope_lacks_is_refused():
    with pytest.raises(UsageError, match="Levels 2-3, not 4"):
        build_leaderboard(board(skill="I-C-26"), [], level=4)


def test_measured_and_published_models_are_ranked_together_and_told_apart():
    perfect = Candidate("mine", "abc123", "copy", {task.id: task.reference_workbook for task in BENCHMARK.tasks})
    document = leaderboard_json(build_leaderboard(board(), [perfect], published=True))
    first, second = document["models"][:2]
    assert (first["model"], first["level"], first["rank"], first["run"], first["published"]) == ("mine", 5, 1, "abc123", False)
    assert (first["wins"], first["asked"], first["partial"]) == (699, 699, False)
    assert (second["model"], second["published"], second["run"]) == ("Mini-Gemini", True, None)
    assert "2505.04620" in document["published_source"]


def test_a_candidate_has_what_the_run_scored_and_what_is_open():
    tasks = BENCHMARK.tasks
    scored = sc.TaskScore(task=sc.TaskDescription(sheet=tasks[0].sheet, name=tasks[0].name), score=70.0, partial=True)
    failed = sc.TaskScore(task=sc.TaskDescription(sheet=tasks[1].sheet, name=tasks[1].name), counts=sc.OutcomeCounts(total=2, failed=1))
    unlisted = sc.TaskScore(task=sc.TaskDescription(name="Dialogue-Relation-Extraction", unlisted=True), score=12.0)
    verdict = sc.GetVerdictResponse(run_id="r", model="m", suite="s", tasks=[scored, failed, unlisted])
    found = candidate_of(standing_of_verdict(verdict, TaskIndex(BENCHMARK), referenced=True))
    assert found.values == {tasks[0].id: 70.0, tasks[1].id: None}
    assert found.partial_tasks == {tasks[0].id}
    assert found.incomplete_tasks == {tasks[1].id}
    placed = measured_entry(board(modalities=[Modality.LANGUAGE]), found)
    assert placed is not None
    assert placed.scores[2] == pytest.approx(70.0 / 115)
    assert (placed.asked, placed.partial, placed.incomplete) == (2, True, True)


@given(values=st.dictionaries(st.sampled_from([task.id for task in BENCHMARK.tasks[::23]]), st.none() | st.floats(0.0, 100.0), min_size=1))
@settings(max_examples=20, deadline=None)
def test_levels_that_are_told_are_those_that_are_computed(values):
    told = levels(BENCHMARK, values)
    computed, taken = (measured_entry(board(), Candidate("m", "r", "s", values, levels=known)) for known in (None, told))
    assert computed == taken


def test_parts_have_a_list_of_their_own_behind_the_others():
    ids = [task.id for task in BENCHMARK.tasks if task.modality is Modality.IMAGE][:3]
    runs = [Candidate(f"m{n}", f"r{n}", "s", {ids[0]: 10.0 + n}, part=n % 2 == 1) for n in range(4)]
    models = leaderboard_json(build_leaderboard(board(), runs))["models"]
    assert [(model["run"], model["part"], model["rank"]) for model in models] == [
        ("r2", False, 1), ("r0", False, 2), ("r3", True, 1), ("r1", True, 2),
    ]  # fmt: skip


def test_what_was_decided_early_stands_last_has_no_rank_and_takes_nobodys_place():
    ids = [task.id for task in BENCHMARK.tasks if task.modality is Modality.IMAGE][:3]
    early = [Candidate(f"e{n}", f"early{n}", "s", {ids[0]: 90.0}, part=part, early="decided early") for n, part in enumerate((True, False))]
    runs = [*early, Candidate("m0", "r0", "s", {ids[0]: 10.0}), Candidate("m1", "r1", "s", {ids[0]: 5.0}, part=True)]
    models = leaderboard_json(build_leaderboard(board(), runs))["models"]
    assert [(model["run"], model["early"], model["rank"], model["ranks"].get("2")) for model in models] == [
        ("r0", None, 1, 1), ("r1", None, 1, 1), ("early0", "decided early", None, None), ("early1", "decided early", None, None),
    ]  # fmt: skip
    one_list = leaderboard_json(build_leaderboard(board(), runs, level=2))
    assert [model["run"] for model in one_list["models"]] == ["r0", "r1"]
    assert one_list["notes"] == ["2 runs that asked only what decides: not ranked, and so in no level's list"]


def test_certificates_are_over_all_of_a_benchmark_and_so_on_its_board_alone():
    certified = Certified(0.05, 3, 7, {2: CertifiedLevel("attained", (10.0, 12.0)), 3: CertifiedLevel("undecided", (0.0, 5.0))})
    values = {task.id: task.reference_workbook for task in BENCHMARK.tasks}
    mine = Candidate("mine", "r", "s", values, certified=certified, against_specialists=replace(certified, verdict=None))
    (model,) = leaderboard_json(build_leaderboard(board(), [mine]))["models"]
    levels_of_it = {"2": {"status": "attained", "interval": [10.0, 12.0]}, "3": {"status": "undecided", "interval": [0.0, 5.0]}}
    assert model["certified"] == {"alpha": 0.05, "verdict": 3, "certified_wins": 7, "levels": levels_of_it}
    assert model["certified_against_specialists"]["verdict"] is None
    (model,) = leaderboard_json(build_leaderboard(board(modalities=[Modality.IMAGE]), [mine]))["models"]
    assert (model["certified"], model["certified_against_specialists"]) == (None, None)


def test_another_benchmark_has_a_board_of_its_own():
    tasks = (BENCHMARK.tasks[0], BENCHMARK.tasks[1])
    told = levels(Benchmark("mine", tasks), {tasks[0].id: 80.0})
    own = own_board("mine", [told], referenced=False)
    document = leaderboard_json(build_leaderboard(own, [Candidate("m", "r", "s", {tasks[0].id: 80.0}, levels=told)]))
    (model,) = document["models"]
    assert (document["benchmark"], document["board"], document["tasks"], document["levels"]) == ("mine", "all of mine", 2, [2])
    assert (model["asked"], model["partial"], model["scores"]) == (1, True, {"2": told.level_2})
