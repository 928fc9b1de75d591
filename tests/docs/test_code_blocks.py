import importlib.util
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.numba

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("docs_refresh", ROOT / "docs" / "refresh.py")
docs = importlib.util.module_from_spec(spec)
# a dataclass looks its module up by name
importlib.sys.modules[spec.name] = docs
spec.loader.exec_module(docs)

PAGES = {str(page.relative_to(ROOT)): page for page in docs.pages()}


@pytest.mark.parametrize("name", PAGES)
def test_code_of_the_page_runs_and_prints_what_is_shown(name):
    for block, printed in docs.run(PAGES[name]):
        if block.shown is not None:
            assert docs.alike(block.shown, printed), (
                f"{name}: shown and printed differ; python docs/refresh.py\n{printed}"
            )


@pytest.mark.parametrize("name", PAGES)
def test_links_of_the_page_lead_to_files(name):
    page = PAGES[name]
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{name}: no file {target}"


def test_readme_sets_up_in_its_first_two_install_lines():
    lines = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("pip install")]
    assert lines[:2] == ["pip install '.[demo]' && gradgen demo", "pip install '.[test]' && pytest"]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_the_other_project_of_the_index(name):
    assert not re.search(r"pip install\s+['\"]?gradgen\b", PAGES[name].read_text("utf-8"))


def test_contributing_fits_on_a_page():
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 60
