import json

import pytest

from hub.uplink import exchange
from hub.uplink.exchange import Answer, Failure
from hub.uplink.outcome import REASON_LENGTH, Reaction, outcome_of, retry_after_s, server_date_ms

RLS = 'new row violates row-level security policy for table "telemetry_tank"'


def answer(status: int, code: str = "", message: str = "", **rest: str) -> Answer:
    return Answer(status, json.dumps({"code": code, "message": message}).encode(), **rest)


@pytest.mark.parametrize(
    ("came", "reaction"),
    [
        (Answer(201), Reaction.STORED),
        (Answer(200, b"[]"), Reaction.STORED),
        (Answer(200, b"<html>Welcome to the hotel</html>"), Reaction.AGAIN),
        (Answer(302), Reaction.OPERATOR),
        (answer(400, "22P02", "invalid input syntax"), Reaction.SPLIT),
        (answer(400, "23514", "violates check constraint"), Reaction.SPLIT),
        (answer(409, "23503", "violates foreign key"), Reaction.SPLIT),
        (answer(400, "P0001", "raised by a trigger"), Reaction.SPLIT),
        (answer(400, "PGRST102", "empty or invalid json"), Reaction.SPLIT),
        (answer(403, "42501", RLS), Reaction.SPLIT),
        (answer(403, "42501", "permission denied for table telemetry_tank"), Reaction.REST),
        (answer(404, "PGRST205", "could not find the table"), Reaction.REST),
        (answer(404, "42P01", "relation does not exist"), Reaction.REST),
        (answer(400, "PGRST204", "could not find the column"), Reaction.REST),
        (answer(400, "42P10", "no unique constraint matching"), Reaction.REST),
        (answer(401, "PGRST303", "JWT expired"), Reaction.RENEW),
        (answer(401, "PGRST301", "no suitable key"), Reaction.RENEW),
        (answer(401, "42501", "permission denied"), Reaction.RENEW),
        (answer(401, "", "Invalid API key"), Reaction.OPERATOR),
        (answer(403, "", "Forbidden"), Reaction.OPERATOR),
        (answer(402, "", "quota exceeded"), Reaction.OPERATOR),
        (answer(404, "", "no Route matched"), Reaction.OPERATOR),
        (answer(400, "", "what nobody has heard of"), Reaction.OPERATOR),
        (Answer(413, b"too large"), Reaction.SPLIT),
        (Answer(408), Reaction.AGAIN),
        (Answer(429), Reaction.AGAIN),
        (answer(500, "57014", "canceling statement due to statement timeout"), Reaction.AGAIN),
        (answer(503, "PGRST001", "could not connect with the database"), Reaction.AGAIN),
        (answer(503, "PGRST002", "could not query the schema cache"), Reaction.AGAIN),
        (answer(504, "PGRST003", "timed out acquiring connection"), Reaction.AGAIN),
        (Answer(521, b"<html>"), Reaction.AGAIN),
        (Failure(exchange.REFUSED, "no connection"), Reaction.AGAIN),
        (Failure(exchange.TIMEOUT, "no answer"), Reaction.AGAIN),
        (Failure(exchange.CUT, "broke"), Reaction.AGAIN),
        (Failure(exchange.CERTIFICATE, "not trusted"), Reaction.OPERATOR),
    ],
)
def test_reacts_by_what_came(came: Answer | Failure, reaction: Reaction) -> None:
    assert outcome_of(came).reaction is reaction


def test_resends_at_once_only_after_a_broken_connection() -> None:
    assert outcome_of(Failure(exchange.CUT, "broke")).resend
    assert not outcome_of(Failure(exchange.TIMEOUT, "no answer")).resend
    assert not outcome_of(Answer(503)).resend


def test_tells_what_is_refused_for_its_size_and_by_policy() -> None:
    assert outcome_of(Answer(413)).by_size
    assert outcome_of(answer(403, "42501", RLS)).by_policy
    assert not outcome_of(answer(400, "23514", "check")).by_policy


def test_quotes_the_cloud_and_not_a_whole_error_page() -> None:
    assert outcome_of(answer(400, "23514", "ph is 15")).reason == "HTTP 400 23514: ph is 15"
    assert len(outcome_of(Answer(502, b"busy " * 1000)).reason) == REASON_LENGTH


def test_a_web_page_in_place_of_the_cloud_is_not_quoted() -> None:
    outcome = outcome_of(Answer(501, b"\n<!DOCTYPE HTML>\n<html><title>Error response</title>"))
    assert outcome.reason == "HTTP 501: a web page instead of JSON; if it stays, check cloud.url"
    assert outcome_of(Answer(200, b"<html>Welcome")).reason.endswith("; check cloud.url")


def test_an_unreachable_cloud_comes_with_a_remedy() -> None:
    outcome = outcome_of(Failure(exchange.REFUSED, "no connection: Connection refused"))
    assert outcome.reason.endswith("Connection refused; check the network, a firewall and cloud.url")


DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("asked", "date", "pause_s"),
    [
        ("17", "", 17.0),
        ("0", "", 0.0),
        ("Sun, 06 Nov 1994 08:51:37 GMT", DATE, 120.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", DATE, 0.0),
        ("Sun, 06 Nov 1994 08:51:37 GMT", "", None),
        ("soon", DATE, None),
        ("-5", DATE, None),
        ("", DATE, None),
        ("9" * 400, "", 999_999_999.0),
    ],
)
def test_reads_how_long_to_wait_by_the_clouds_own_clock(asked: str, date: str, pause_s: float | None) -> None:
    assert retry_after_s(Answer(429, retry_after=asked, date=date)) == pause_s


def test_reads_the_servers_date() -> None:
    assert server_date_ms(Answer(201, date=DATE)) == 784_111_777_000
    assert server_date_ms(Answer(201, date="yesterday")) is None
