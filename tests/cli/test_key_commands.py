import json
import re

KID = r"[A-Za-z0-9_-]{16}"


def keys(symphainy, **environment):
    done = symphainy("keys", "list", "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def master_key(symphainy):
    return symphainy("keys", "generate").stdout.split()[-1]


def test_a_new_store_has_no_keys_to_list(symphainy):
    assert keys(symphainy) == []
    assert symphainy("keys", "list").stdout.startswith("No keys yet")


def test_rotating_makes_a_key_and_then_another_one(symphainy):
    kids = [symphainy("keys", "rotate").stdout.split()[-1] for _ in range(2)]
    assert all(re.fullmatch(KID, kid) for kid in kids)
    listed = keys(symphainy)
    assert [key["kid"] for key in listed] == kids
    assert [key["rotated_at"] is None for key in listed] == [False, True]
    assert json.loads(symphainy("keys", "rotate", "--json").stdout).keys() == {"kid"}


def test_the_table_says_what_each_key_is_for(symphainy):
    symphainy("keys", "rotate")
    symphainy("keys", "rotate")
    table = symphainy("keys", "list").stdout
    assert "verifies until" in table
    assert "current" in table


def test_a_generated_key_is_the_master_key_of_a_store(symphainy, tmp_path):
    key = master_key(symphainy)
    assert symphainy("keys", "rotate", SYMPHAINY_MASTER_KEY=key).returncode == 0
    assert not (tmp_path / ".symphainy" / "keys").exists()
    assert key.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("platform.db*"))


def test_every_generated_key_is_another_one(symphainy):
    assert len({json.loads(symphainy("keys", "generate", "--json").stdout)["master_key"] for _ in range(3)}) == 3


def test_a_wrong_master_key_is_a_sentence_that_does_not_hold_it(symphainy):
    symphainy("keys", "rotate")
    wrong = master_key(symphainy)
    refused = symphainy("keys", "rotate", SYMPHAINY_MASTER_KEY=wrong)
    assert refused.returncode == 2
    assert "SYMPHAINY_MASTER_KEY is not the key that sealed" in refused.stderr
    assert wrong not in refused.stdout + refused.stderr
    assert len(keys(symphainy, SYMPHAINY_MASTER_KEY=wrong)) == 1


def test_a_key_of_the_wrong_length_is_refused_and_not_shown(symphainy):
    refused = symphainy("keys", "list", SYMPHAINY_MASTER_KEY="hunter2-hunter2")
    assert refused.returncode == 2
    assert "SYMPHAINY_MASTER_KEY" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_doctor_masks_the_master_key(symphainy):
    key = master_key(symphainy)
    done = symphainy("doctor", SYMPHAINY_MASTER_KEY=key)
    assert "****" in done.stdout
    assert key not in done.stdout + done.stderr
