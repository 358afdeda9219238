"""Decisions that break the contract of `write_note`, each in one way."""

from dataclasses import replace

from notebook_realm.script import written

from symphainy_platform import ArtifactAnswer, IntentError, IntentResult

NO_ID = "00000000-0000-4000-8000-000000000000"


def noted(ctx, payload=None, **options):
    return ctx.state_surface.register_artifact("note", {"text": "x"} if payload is None else payload, **options)


def undeclared_artifact(ctx):
    note = noted(ctx)
    ctx.state_surface.register_artifact("diary", {"text": "x"}, lifecycle_state="PENDING")
    return IntentResult({"note": note}, [written(note)])


def undeclared_update(ctx):
    note = noted(ctx)
    ctx.state_surface.transition(note, "CLOSED")
    return IntentResult({"note": ctx.state_surface.current(note)}, [written(note)])


def undeclared_log(ctx):
    note = noted(ctx)
    ctx.state_surface.append(note, "margins", [("k", {})])
    return IntentResult({"note": ctx.state_surface.current(note)}, [written(note)])


def log_of_nothing_written(ctx):
    note = noted(ctx)
    ctx.state_surface.staged.entries.append("no entry at all")
    return IntentResult({"note": note}, [written(note)])


def undeclared_row(ctx):
    note = noted(ctx)
    ctx.state_surface.write_row("chat_sessions", {"chat_session_id": "x"}, {"user_id": "ann"})
    return IntentResult({"note": note}, [written(note)])


def undeclared_event(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [written(note), {"type": "note_burnt"}])


def event_without_type(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [written(note), {}])


def event_of_another_shape(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [{"type": "note_written", "note_id": 7}])


def event_with_more(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [{**written(note), "text": "private"}])


def event_that_is_no_mapping(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [written(note), "note_praised"])


def events_that_are_no_list(ctx):
    return IntentResult({"note": noted(ctx)}, None)


def events_that_can_be_read_once(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, (event for event in [written(note)]))


def missing_event(ctx):
    return IntentResult({"note": noted(ctx)})


def undeclared_state(ctx):
    return IntentResult({"note": noted(ctx, lifecycle_state="CLOSED")})


def illegal_transition(ctx):
    note = noted(ctx)
    ctx.state_surface.transition(note, "LOST")
    return IntentResult({"note": ctx.state_surface.current(note)}, [written(note)])


def payload_of_another_shape(ctx):
    note = noted(ctx, {"text": 7})
    return IntentResult({"note": note}, [written(note)])


def payload_with_more(ctx):
    note = noted(ctx, {"text": "x", "colour": "red"})
    return IntentResult({"note": note}, [written(note)])


def payload_that_is_no_object(ctx):
    note = noted(ctx, [1])
    return IntentResult({"note": note}, [written(note)])


def descriptor_that_is_no_json(ctx):
    note = noted(ctx, semantic_descriptor={"at": object()})
    return IntentResult({"note": note}, [written(note)])


def missing_artifact(ctx):
    return IntentResult({}, [written(noted(ctx))])


def undeclared_answer(ctx):
    note = noted(ctx)
    return IntentResult({"note": note, "receipt": {}}, [written(note)])


def answer_of_another_shape(ctx):
    return IntentResult({"note": {"text": 7}}, [written(noted(ctx))])


def answer_with_undeclared_field(ctx):
    return IntentResult({"note": {"text": "x", "secret": 1}}, [written(noted(ctx))])


def answer_that_is_no_json(ctx):
    return IntentResult({"note": {"text": object()}}, [written(noted(ctx))])


def answer_with_an_undeclared_extra(ctx):
    note = noted(ctx)
    return IntentResult({"note": ArtifactAnswer(note, {"mood": "good"})}, [written(note)])


def answer_with_an_extra_that_is_no_json(ctx):
    note = noted(ctx)
    return IntentResult({"note": ArtifactAnswer(note, {"stamp": object()})}, [written(note)])


def answer_as_it_was_before_the_last_write(ctx):
    note = noted(ctx)
    ctx.state_surface.update_artifact(note, {"text": "y"})
    return IntentResult({"note": note}, [written(note)])


def answer_of_a_version_that_is_not_written(ctx):
    note = noted(ctx)
    return IntentResult({"note": ArtifactAnswer(replace(note, version=9))}, [written(note)])


def artifacts_that_are_no_mapping(ctx):
    return IntentResult([noted(ctx)])


def nothing_written(ctx):
    del ctx
    return IntentResult({"note": {"text": "x"}}, [{"type": "note_written", "note_id": NO_ID}])


def no_result(ctx):
    noted(ctx)
    return {"note": {}}


def no_answer(ctx):
    noted(ctx)


def undeclared_code(ctx):
    noted(ctx)
    raise IntentError("NOT_IN_THE_CONTRACT")


def nameless_code(ctx):
    noted(ctx)
    raise IntentError


def details_that_are_no_json(ctx):
    noted(ctx)
    raise IntentError("REFUSED", details={"what": object()})


VIOLATIONS = [
    undeclared_artifact,
    undeclared_update,
    undeclared_log,
    log_of_nothing_written,
    undeclared_row,
    undeclared_event,
    event_without_type,
    event_of_another_shape,
    event_with_more,
    event_that_is_no_mapping,
    events_that_are_no_list,
    events_that_can_be_read_once,
    missing_event,
    undeclared_state,
    illegal_transition,
    payload_of_another_shape,
    payload_with_more,
    payload_that_is_no_object,
    descriptor_that_is_no_json,
    missing_artifact,
    undeclared_answer,
    answer_of_another_shape,
    answer_with_undeclared_field,
    answer_that_is_no_json,
    answer_with_an_undeclared_extra,
    answer_with_an_extra_that_is_no_json,
    answer_as_it_was_before_the_last_write,
    answer_of_a_version_that_is_not_written,
    artifacts_that_are_no_mapping,
    nothing_written,
    no_result,
    no_answer,
    undeclared_code,
    nameless_code,
    details_that_are_no_json,
]
