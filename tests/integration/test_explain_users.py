"""`sparkbridge explain` of listeners that give users, or clients, profiles of their own: what it shows
is what the daemon uses."""

import json
import os
import pwd
import subprocess

import pytest

ME = pwd.getpwuid(os.geteuid())
PROFILES = """\
[DEFAULT]
host = https://{0}.example.test
token = tok-{0}
cluster_id = cl-{0}
[dev]
host = https://dev.{0}.example.test
token = tok-dev
cluster_id = cl-dev
"""


class Place:
    """A home whose ~/.databrickscfg no row names, a directory of users' files, and a YAML file."""

    def __init__(self, binary, path):
        self._binary, self._path = binary, path
        # Neither may a row's profile come from here.
        self.environment = {"DATABRICKS_HOST": "https://env.example.test"}
        self.put(".databrickscfg", "home")

    def put(self, name, word):
        path = self._path / name
        path.touch(0o600)
        path.write_text(PROFILES.format(word))
        return path

    def write(self, listener):
        (self._path / "m.yaml").write_text(
            json.dumps({"version": 1, "listeners": [{"name": "spark", **listener}]})
        )

    def run(self, command, *words):
        return subprocess.run(
            [self._binary, command, "--config", self._path / "m.yaml", *words],
            env={"HOME": str(self._path), **self.environment},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def json(self, *words):
        done = self.run("explain", "--json", *words)
        assert done.returncode in (0, 78), done.stderr
        return json.loads(done.stdout), done.returncode


@pytest.fixture
def place(binary, tmp_path):
    return Place(binary, tmp_path)


def host(grant):
    return grant["binding"]["host"]["value"]


def test_a_row_is_shown_in_place_of_the_default_profile(place, tmp_path):
    path = place.put("rows.cfg", "rows")
    place.write({"profile_by_peer": {ME.pw_name: {"config_file": str(path)}}})
    answer, status = place.json()
    assert (status, answer["complete"]) == (0, True)
    [grant] = answer["grants"]
    assert (grant["user"], grant["uid"]) == (ME.pw_name, ME.pw_uid)
    assert (grant["config_file"], grant["client_profile"]) == (str(path), None)
    assert host(grant) == "rows.example.test"
    table = place.run("explain").stdout
    assert table.startswith(f"user {ME.pw_name}: the default profile of {path} (")
    assert "rows.example.test:443" in table
    compared = place.run("explain", "--compare").stdout
    assert "rows.example.test:443" in compared
    for text in (table, compared, json.dumps(answer)):
        assert "home.example.test" not in text
        assert "env.example.test" not in text
        assert "tok-" not in text


def test_compare_in_json_has_both_for_each_row(place):
    path = place.put("rows.cfg", "rows")
    place.write({"profile_by_peer": {"self": {"config_file": str(path)}}})
    [grant] = place.json("--compare")[0]["grants"]
    assert grant["binding"]["documented"]["host"]["value"] == "rows.example.test"
    assert grant["binding"]["differences"] == []


def test_the_users_name_stands_in_his_file(place, tmp_path):
    path = place.put(f"{ME.pw_name}.cfg", "named")
    place.write(
        {
            "profile_by_peer": {
                "self": {"config_file": f"{tmp_path}/%u.cfg", "profile": "dev"},
                "default": {"config_file": f"{tmp_path}/%u.cfg"},
            }
        }
    )
    answer, status = place.json()
    mine, others = answer["grants"]
    assert status == 0
    assert (mine["config_file"], host(mine)) == (str(path), "dev.named.example.test")
    assert (others["user"], others["uid"]) == ("default", None)
    assert (others["config_file"], others["binding"]) == (f"{tmp_path}/%u.cfg", None)
    table = place.run("explain").stdout
    assert f"user self: profile dev of {path} (" in table
    assert (
        f"every other user: the default profile of {tmp_path}/%u.cfg (" in table
        and "looked for when a user connects" in table
    )


def test_one_file_for_all_others_is_resolved(place):
    path = place.put("100%25.cfg", "others")
    row = {"config_file": str(path).replace("%", "%%")}
    place.write({"profile_by_peer": {"default": row}})
    [grant] = place.json()[0]["grants"]
    assert (grant["uid"], host(grant)) == (None, "others.example.test")


def test_a_row_that_cannot_be_used(place, tmp_path):
    """The sentence is the daemon's, and the status says so."""
    place.write({"profile_by_peer": {"self": {"config_file": f"{tmp_path}/none.cfg"}}})
    answer, status = place.json()
    [grant] = answer["grants"]
    assert (status, answer["complete"]) == (78, False)
    fault = grant["binding"]["error"]["message"]
    assert "none.cfg: no such file" in fault
    assert fault in place.run("check").stderr


def test_a_file_that_others_may_write_is_refused_as_the_daemon_does(place, tmp_path):
    path = place.put("rows.cfg", "rows")
    path.chmod(0o666)
    place.write({"profile_by_peer": {"self": {"config_file": str(path)}}})
    fault = place.json()[0]["grants"][0]["binding"]["error"]["message"]
    assert fault in place.run("check").stderr


def test_what_clients_may_choose(place):
    place.environment = {}
    place.write(
        {
            "config_file": str(place.put("all.cfg", "all")),
            "profile": "DEFAULT",
            "profile_from_client": {"allow": ["dev", "absent"]},
        }
    )
    answer, status = place.json()
    dev, absent = answer["grants"]
    assert status == 78
    assert answer["token"]["source"].startswith("profile DEFAULT")  # as without the others
    assert (dev["user"], dev["config_file"], dev["client_profile"]) == (None, None, "dev")
    assert dev["binding"]["token"]["source"].startswith("profile dev")
    assert (absent["client_profile"], absent["binding"]["complete"]) == ("absent", False)
    table = place.run("explain").stdout
    assert table.startswith("clients without x-sparkbridge-profile\n")
    assert "\n\nclients that choose profile dev by x-sparkbridge-profile\n" in table


def test_clients_may_have_to_choose(place):
    """Without a profile of the listener's own, as `run` takes it: no fault."""
    place.environment = {}
    path = place.put("all.cfg", "all")
    path.write_text(path.read_text().replace("[DEFAULT]", "[other]"))
    place.write({"config_file": str(path), "profile_from_client": {"allow": ["other"]}})
    answer, status = place.json()
    assert (status, answer["complete"]) == (0, False)
    assert answer["grants"][0]["binding"]["complete"]
    assert place.run("check").returncode == 0


def test_users_choose_of_their_own_files(place):
    path = place.put("rows.cfg", "rows")
    place.write(
        {
            "profile_by_peer": {"self": {"config_file": str(path)}},
            "profile_from_client": {"allow": ["dev"], "header": "x-mine"},
        }
    )
    own, dev = place.json()[0]["grants"]
    assert (own["client_profile"], host(own)) == (None, "rows.example.test")
    assert (dev["client_profile"], host(dev)) == ("dev", "dev.rows.example.test")
    assert f"user self, by x-mine: profile dev of {path} (" in place.run("explain").stdout
