"""The page's own files: complete, consistent, and without anything that its policy would forbid."""

import re
from importlib.resources import files

import pytest

from banditroute.gateway.dashboard.files import COLOURS, PAGE, assets
from banditroute.reports.theme import dark_variables, light_variables

SCRIPTS = sorted(name for name in assets() if name.endswith(".js"))


def text(name):
    return assets()[name].body.decode()


def test_all_that_the_page_and_its_scripts_ask_for_is_there():
    asked = set(re.findall(r'(?:href|src)="dashboard/assets/([^"]+)"', text(PAGE)))
    imported = {name for script in SCRIPTS for name in re.findall(r'from "\./([^"]+)"', text(script))}
    assert {"main.js", "dashboard.css", COLOURS} <= asked
    assert asked | imported <= assets().keys()
    assert imported | {"main.js"} == set(SCRIPTS), "a script that nobody asks for"


def test_every_file_of_the_folder_is_shipped_as_what_it_is():
    folder = files("banditroute.gateway.dashboard") / "assets"
    assert {each.name for each in folder.iterdir()} <= assets().keys()
    assert {name.rpartition(".")[2] for name in assets()} == {"html", "css", "js", "svg"}


@pytest.mark.parametrize("name", [PAGE, *SCRIPTS])
def test_nothing_is_parsed_as_markup_or_runs_inline(name):
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|<script>| on\w+=\"| style=\""
    )
    assert re.search(forbidden, text(name)) is None


@pytest.mark.parametrize("name", sorted(assets()))
def test_nothing_is_fetched_from_elsewhere(name):
    found = set(re.findall(r"https?://[^\"' )]+", text(name)))
    assert found <= {"http://www.w3.org/2000/svg"}


def test_both_themes_have_every_colour():
    colours = text(COLOURS)
    for variables in (light_variables(), dark_variables()):
        for name, colour in variables.items():
            assert f"--{name}: {colour};" in colours


def test_every_element_that_a_script_looks_for_by_id_is_in_the_page():
    page = text(PAGE)
    wanted = {name for script in SCRIPTS for name in re.findall(r'byId\("([^"]+)"\)', text(script))}
    assert wanted
    assert all(f'id="{name}"' in page for name in wanted)
