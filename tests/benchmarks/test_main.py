import json

from benchmarks.__main__ import RESULTS, main


def test_one_case_runs_alone_and_leaves_its_results_where_told(tmp_path, capsys):
    path = tmp_path / "results.json"
    before = sorted(RESULTS.glob("*"))
    assert main(["scalar-loop", "--contenders", "python", "--quick", "--json", str(path)]) == 0
    assert "python" in capsys.readouterr().out
    (case,) = json.loads(path.read_text())["cases"]
    assert [row["status"] for row in case["rows"]] == ["timed"]
    assert sorted(RESULTS.glob("*")) == before


def test_the_list_names_cases_and_contenders(capsys):
    assert main(["--list", "mlp-2-*"]) == 0
    out = capsys.readouterr().out
    assert "mlp-2-16-2-call" in out
    assert "mlp-64-64-10-call" not in out
    assert "autograd" in out


def test_names_that_do_not_exist_are_told(capsys):
    assert main(["mpl-*"]) == 2
    assert "no case mpl-*; there are scalar-call" in capsys.readouterr().err
    assert main(["--contenders", "jaxx"]) == 2
    assert "no contender jaxx" in capsys.readouterr().err
