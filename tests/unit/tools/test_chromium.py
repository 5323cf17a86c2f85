"""The browser for the tests is found where it is named."""

from course_lib.tools.chromium import find_chromium


def test_chromium_is_found_where_it_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "nowhere"))
    assert find_chromium() is None
    (tmp_path / "nowhere").touch()
    assert find_chromium() == str(tmp_path / "nowhere")
