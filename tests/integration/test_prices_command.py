"""``genlevel prices``: the list, and newer prices that a later start counts."""

import json


def written(genlevel, **models):
    entries = {f"gpt-{name}": {"litellm_provider": "openai", "mode": "chat", **said} for name, said in models.items()}
    (genlevel.folder / "list.json").write_text(json.dumps(entries))


def amounts(into, out):
    return {"input_cost_per_token": into, "output_cost_per_token": out}


def test_newer_prices_are_taken_from_litellms_list_and_count_from_the_next_start_on(genlevel):
    written(genlevel, **{"4o": amounts(2e-06, 8e-06), "new": amounts(1e-06, 2e-06)})
    listed = json.loads(genlevel.run("prices", "openai/gpt-4o", "--json").stdout)
    assert [one["price"]["input"] for one in listed] == ["2.5"]
    assert "https://" in listed[0]["price"]["source"]
    done = genlevel.run("prices", "--update", "list.json", "--source", "a page", "--as-of", "2026-12-24")
    assert done.returncode == 0, done.stderr
    assert "1 new, 1 changed, 0 as before" in done.stdout
    assert "openai/gpt-4o: input 2.5 -> 2" in done.stdout
    assert "written to genlevel-prices.json" in done.stdout
    listed = json.loads(genlevel.run("prices", "openai/gpt-*", "--json").stdout)
    found = {one["model"]: one["price"] for one in listed}
    assert found["openai/gpt-4o"] == {"input": "2", "output": "8", "source": "a page", "as_of": "2026-12-24"}
    assert found["openai/gpt-new"]["output"] == "2"
    again = json.loads(genlevel.run("prices", "--update", "list.json", "--json").stdout)
    assert (again["same"], again["written"]) == (2, False)


def test_what_can_hardly_be_right_is_not_taken_unless_that_is_said(genlevel):
    written(genlevel, **{"4o": amounts(2.5e-03, 1e-02)})
    (genlevel.folder / "genlevel.yaml").write_text("prices_file: team.json\n")
    (genlevel.folder / "team.json").write_text('{"prices": {"groq/mine": {"input": 1, "output": 2}}}')
    refused = genlevel.run("prices", "--update", "list.json")
    assert refused.returncode == 1
    assert "can hardly be right" in refused.stderr
    assert "openai" not in (genlevel.folder / "team.json").read_text()
    assert genlevel.run("prices", "--update", "list.json", "--yes").returncode == 0
    kept = json.loads((genlevel.folder / "team.json").read_text())["prices"]
    assert kept["openai/gpt-4o"]["price"] == {"input": "2500", "output": "10000"}
    assert kept["groq/mine"]["price"] == {"input": "1", "output": "2"}


def test_a_list_of_ours_is_taken_and_a_mistake_in_one_is_one_line(genlevel):
    (genlevel.folder / "ours.yaml").write_text("prices:\n  groq/mine: {input: 1, output: '2.5'}\n  nobody/x: {input: 1, output: 1}\n")
    done = genlevel.run("prices", "groq/*", "--update", "ours.yaml", "--json")
    assert json.loads(done.stdout)["new"] == ["groq/mine"]
    assert json.loads(done.stdout)["left_out"] == ["those of nobody, which cannot be asked here"]
    (genlevel.folder / "ours.yaml").write_text("prices:\n  groq/mine: {input: -1, output: 2}\n")
    done = genlevel.run("prices", "--update", "ours.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("genlevel: ours.yaml:2: prices.groq/mine.price.input: ")
    assert done.stderr.count("\n") == 1
    done = genlevel.run("prices", "--yes")
    assert done.returncode == 2
