"""Two files and an entry point add an intent; whatever is broken stops the start with a sentence."""

import json
import shutil

import pytest


def test_a_wheel_adds_its_intent(installed, submit):
    done = submit(installed)
    assert done.returncode == 0, done.stderr
    first, again = json.loads(done.stdout.splitlines()[-1])
    assert first["artifacts"]["greeting"]["semantic_payload"] == {"text": "Hello, Ada!"}
    assert first["events"] == [{"type": "greeting_sent", "name": "Ada"}]
    assert again == {**first, "idempotent_replay": True}


def test_without_the_wheel_the_intent_is_unknown(submit):
    done = submit()
    assert done.returncode != 0
    assert "UnknownIntent" in done.stderr


def test_the_wheel_carries_its_contract(installed):
    assert (installed / "greetings" / "contracts" / "send_greeting.yaml").is_file()


def edited(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def broken_contract(site):
    edited(site / "greetings/contracts/send_greeting.yaml", "access: user", "acess: user")


def broken_yaml(site):
    edited(site / "greetings/contracts/send_greeting.yaml", "effects:", "effects: [")


def same_intent_as_ours(site):
    file = site / "greetings/contracts/send_greeting.yaml"
    edited(file, "intent: send_greeting", "intent: update_chat_context")


def broken_import(site):
    edited(site / "greetings/__init__.py", "from importlib", "import no_such_package\nfrom importlib")


def broken_service(site):
    edited(site / "greetings/intent_services/send_greeting_service.py", "from typing", "1 / 0\nfrom typing")


def handler_without_service(site):
    edited(site / "greetings/intent_services/send_greeting_service.py", 'intent_type = "send', 'intent_type = "sent')


def ready_without_handler(site):
    edited(site / "greetings/contracts/send_greeting.yaml", "status: draft", "status: ready")
    (site / "greetings/intent_services/send_greeting_service.py").unlink()


def service_that_ends_the_process(site):
    edited(
        site / "greetings/intent_services/send_greeting_service.py", "from typing", "raise SystemExit(3)\nfrom typing"
    )


def service_that_is_not_async(site):
    edited(site / "greetings/intent_services/send_greeting_service.py", "async def execute", "def execute")


def hook_that_raises(site):
    edited(site / "greetings/__init__.py", "return [", "raise LookupError('out of greetings')\n    return [")


def hook_that_returns_a_name(site):
    edited(site / "greetings/__init__.py", "return [", "return ['greetings'] or [")


def hook_that_returns_nothing(site):
    edited(site / "greetings/__init__.py", "return [", "return None or 7 or [")


def hook_of_another_signature(site):
    edited(site / "greetings/__init__.py", "symphainy_realms()", "symphainy_realms(platform)")


def folder_that_is_not_there(site):
    edited(site / "greetings/__init__.py", '"contracts"', '"contrcats"')


BROKEN = {
    broken_contract: ["send_greeting.yaml:8", "acess", "access"],
    broken_yaml: ["send_greeting.yaml:"],
    same_intent_as_ours: ["greetings/contracts/send_greeting.yaml", "contracts/coexistence/update_chat_context.yaml"],
    broken_import: ["greetings", "greetings-realm", "no_such_package"],
    broken_service: ["send_greeting.yaml", "greetings.intent_services.send_greeting_service", "ZeroDivisionError"],
    service_that_ends_the_process: ["send_greeting.yaml", "SystemExit"],
    service_that_is_not_async: ["send_greeting.yaml", "async def"],
    handler_without_service: ["send_greeting.yaml", "exactly one IntentService", "'send_greeting'"],
    ready_without_handler: ["send_greeting.yaml", "greetings.intent_services.send_greeting_service"],
    hook_that_raises: ["greetings", "out of greetings"],
    hook_that_returns_a_name: ["greetings", "str"],
    hook_that_returns_nothing: ["greetings", "TypeError"],
    hook_of_another_signature: ["greetings", "platform"],
    folder_that_is_not_there: ["contrcats"],
}


@pytest.mark.parametrize("breaking", BROKEN, ids=lambda breaking: breaking.__name__)
def test_whatever_is_broken_stops_the_start_with_a_sentence(site, submit, breaking):
    breaking(site)
    done = submit(site)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    missing = [words for words in BROKEN[breaking] if words not in done.stderr]
    assert not missing, done.stderr


@pytest.fixture
def other(site, tmp_path):
    """The wheel of a third team that has copied the realm: another project, another package."""
    other = shutil.copytree(site, tmp_path / "other")
    (other / "greetings").rename(other / "salutations")
    info = (other / "greetings_realm-1.0.0.dist-info").rename(other / "salutations_realm-1.0.0.dist-info")
    edited(info / "METADATA", "Name: greetings-realm", "Name: salutations-realm")
    edited(info / "entry_points.txt", "greetings = greetings", "salutations = salutations")
    return other


def test_two_wheels_with_one_entry_point_name_both(site, other, submit):
    entry_points = other / "salutations_realm-1.0.0.dist-info" / "entry_points.txt"
    edited(entry_points, "salutations = salutations", "greetings = salutations")
    done = submit(site, other)
    assert done.returncode == 1
    assert "greetings of greetings-realm" in done.stderr
    assert "salutations of salutations-realm" in done.stderr


def test_two_realms_of_one_name_name_both_folders(site, other, submit):
    done = submit(site, other)
    assert done.returncode == 1
    assert f"{site}/greetings/contracts" in done.stderr
    assert f"{other}/salutations/contracts" in done.stderr


def test_two_realms_of_one_intent_name_both_files(site, other, submit):
    edited(other / "salutations/__init__.py", '"greetings"', '"salutations"')
    done = submit(site, other)
    assert done.returncode == 1
    assert f"{site}/greetings/contracts/send_greeting.yaml" in done.stderr
    assert f"{other}/salutations/contracts/send_greeting.yaml" in done.stderr
