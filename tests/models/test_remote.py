"""A model on an inference server: asked politely, and not believed blindly."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from models import labels, remote, shelf
from models.classifier import Classifier
from models.errors import BadDeclaration, BrokenModel, ModelError, Unavailable, UnknownModel
from models.verdict import Feeling, Question
from tests.models.inference import Inference, Scores, trouble

MANY = [Question(f"parcel number {number} never arrived") for number in range(100)]


def opened(server: Inference, **declared: object) -> Classifier:
    return shelf.open(f"remote:{server.address}", post=server.post, **declared)  # type: ignore[arg-type]


def test_what_the_server_says_becomes_the_verdict(server: Inference) -> None:
    bad, good = opened(server).judge([Question("Terrible service"), Question("I love it")])

    assert (bad.feeling, good.feeling) == (Feeling.NEGATIVE, Feeling.POSITIVE)
    assert bad.complaint > 0.65
    assert good.complaint < 0.35
    assert bad.model == f"remote:{server.address}"


def test_two_texts_are_never_taken_for_a_pair(server: Inference) -> None:
    opened(server).judge([Question("one"), Question("another")])

    assert server.bodies[-1] == {
        "inputs": [["one"], ["another"]],
        "raw_scores": False,
        "truncate": True,
    }


def test_the_server_reads_what_every_model_reads(server: Inference) -> None:
    opened(server).judge([Question("Tom &amp;amp; @jerry at https://example.org 😡")])

    assert server.lots[-1] == ["Tom & @user at http enraged face"]


def test_no_request_holds_more_than_the_server_takes(server: Inference) -> None:
    verdicts = opened(server).judge(MANY)

    assert len(verdicts) == 100
    assert sorted(map(len, server.lots)) == [1, 4, 32, 32, 32]  # the first asks if it is there
    assert len(server.bodies) == len(server.lots)


def test_a_server_that_takes_less_is_asked_in_smaller_lots_from_then_on(
    server: Inference,
) -> None:
    server.most = 8
    model = opened(server)

    assert len(model.judge(MANY)) == 100
    server.bodies.clear()
    assert len(model.judge(MANY)) == 100

    assert max(map(len, server.lots)) == 8
    assert len(server.bodies) == 13  # nothing was sent in vain any more


def test_a_text_that_the_server_cannot_read_is_told_from_a_server_that_cannot(
    server: Inference,
) -> None:
    model = opened(server)
    odd = Question("this cannot be cut")

    with pytest.raises(BrokenModel) as refused:
        model.judge([*MANY[:5], odd])

    assert str(refused.value) == (
        f"{server.address} answered 422 (tokenizer): it could not run its model on this. "
        "It takes others, so it is about this one."
    )
    assert len(model.judge(MANY[:5])) == 5

    server.instead = lambda _: trouble(424, "CUDA out of memory", "backend")
    with pytest.raises(Unavailable, match=r"answered 424 \(backend\)"):
        model.judge([odd])


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (429, "overloaded", "answered 429 (overloaded): it has too much to do."),
        (503, "unhealthy", "answered 503 (unhealthy): it is out of order."),
        (502, "<html>", "answered 502: it is out of order."),
        (408, "", "answered 408: it could not answer now."),
    ],
)
def test_a_busy_server_is_to_be_asked_again(
    server: Inference, status: int, kind: str, says: str
) -> None:
    model = opened(server)
    server.instead = lambda _: trouble(status, "never shown", kind, Retry_After="7")

    with pytest.raises(Unavailable) as refused:
        model.judge(MANY)

    assert str(refused.value) == f"{server.address} {says}"
    assert refused.value.wait == timedelta(seconds=7)
    assert len(server.bodies) <= 1 + 4  # the requests that were on their way, and no more


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "answered 401: it refuses us. Check the key that it wants."),
        (404, "answered 404: no text classifier answers there. Check the address."),
        (302, "answered 302, which was not expected. Check what runs there."),
        (
            424,
            (
                "answered 424 (backend): it could not run its model on this. "
                "Check that it runs a model for text classification."
            ),
        ),
        (
            413,
            (
                "answered 413 (backend): this was too much at once. "
                "Check that it runs a model for text classification."
            ),
        ),
    ],
)
def test_a_server_that_cannot_be_right_is_refused_at_once(
    server: Inference, status: int, says: str
) -> None:
    kind = "backend" if status in {413, 424} else ""
    server.instead = lambda _: trouble(status, "Model is not a classifier model", kind)

    with pytest.raises(BrokenModel) as refused:
        opened(server)

    assert str(refused.value) == f"{server.address} {says}"


def test_a_server_that_is_not_there_yet_is_no_obstacle(server: Inference) -> None:
    server.instead = lambda _: trouble(503, "starting", "unhealthy")
    model = opened(server)
    server.instead = None

    assert len(model.judge(MANY[:3])) == 3


def test_a_server_that_is_gone_is_unavailable() -> None:
    gone = Inference(address="http://127.0.0.1:9")

    with pytest.raises(Unavailable):
        opened(gone).judge(MANY[:1])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([], "answered about 0 texts when it was asked about 1"),
        ([[{"label": "negative", "score": 1.0}]] * 2, "answered about 2 texts"),
        ({"error": "none"}, "did not answer with labels and scores from 0 to 1 (list_type)"),
        ([{"label": "negative", "score": 1.0}], "from 0 to 1 (list_type)"),
        ([[{"label": "negative"}]], "from 0 to 1 (missing)"),
        ([[{"label": "negative", "score": 1.2}]], "from 0 to 1 (less_than_equal)"),
        ([[{"label": "negative", "score": -0.2}]], "from 0 to 1 (greater_than_equal)"),
        ([[{"label": "negative", "score": None}]], "from 0 to 1 (float_type)"),
        ([[{"label": "negative", "score": 0.5}] * 2], "named a label twice"),
        ([[]], "do not tell the unhappy from the others"),
        (
            [[{"label": "negative", "score": 0.9}, {"label": "positive", "score": 0.9}]],
            "scores that are not probabilities (they add up to 1.80 instead of 1)",
        ),
        ([[{"label": "joy", "score": 1.0}]], "by 'joy' is not known"),
    ],
)
def test_an_answer_that_makes_no_sense_is_not_believed(
    server: Inference, answer: object, says: str
) -> None:
    model = opened(server)
    server.instead = lambda _: web.json_response(answer)

    for act in (lambda: model.judge(MANY[:1]), lambda: opened(server)):
        with pytest.raises(BrokenModel) as refused:
            act()

        assert says in str(refused.value)


def test_an_answer_that_is_not_json_is_not_believed(server: Inference) -> None:
    server.instead = lambda _: web.Response(text="<h1>It works!</h1>")

    with pytest.raises(BrokenModel, match=r"\(json_invalid\). Check that it runs a model"):
        opened(server)


def test_what_goes_wrong_is_told_without_the_texts(server: Inference) -> None:
    model = opened(server)
    secret = "my diagnosis"

    def echo(_: web.Request) -> web.Response:
        return trouble(422, f"cannot read {secret}", secret)

    def confused(_: web.Request) -> web.Response:
        return web.json_response([[{"label": secret * 9, "score": secret}]])

    for answer in (echo, confused):
        server.instead = answer
        with pytest.raises(ModelError) as refused:
            model.judge([Question(secret)])

        told: BaseException | None = refused.value
        while told is not None:
            assert secret not in str(told)
            told = told.__cause__


def test_the_labels_of_any_server_can_be_declared(server: Inference) -> None:
    def scores(text: str) -> Scores:
        return {"LABEL_0": 0.1, "LABEL_1": 0.9} if "late" in text else {"LABEL_0": 1, "LABEL_1": 0}

    server.scores = scores
    with pytest.raises(BrokenModel, match=r"by 'LABEL_0', 'LABEL_1' is not known\. Say it in"):
        opened(server)
    with pytest.raises(BadDeclaration, match="says what 'bad' means, but the labels of the model"):
        opened(server, mapping=labels.parse("bad=complaint"))
    model = opened(server, mapping=labels.parse("LABEL_1=complaint,LABEL_0=neutral"))

    late, fine = model.judge([Question("too late"), Question("fine")])

    assert (late.complaint, late.feeling) == (0.9, Feeling.NEGATIVE)
    assert (fine.complaint, fine.feeling) == (0.0, Feeling.NEUTRAL)


def test_another_model_behind_the_same_address_is_noticed(server: Inference) -> None:
    model = opened(server)
    server.scores = lambda _: {"1 star": 0.9, "5 stars": 0.1}
    assert model.judge(MANY[:1])[0].complaint == 0.9

    server.scores = lambda _: {"anger": 0.9, "joy": 0.1}

    with pytest.raises(BrokenModel, match="by 'anger', 'joy' is not known"):
        model.judge(MANY[:1])


def test_requests_are_made_side_by_side_but_only_so_many() -> None:
    going, most = [], []

    def post(body: bytes) -> bytes:
        going.append(1)
        most.append(len(going))
        time.sleep(0.05)
        going.pop()
        asked = json.loads(body)["inputs"]
        row = [{"label": "neg", "score": 1.0}, {"label": "pos", "score": 0.0}]
        return json.dumps([row for _ in asked]).encode()

    model = shelf.open("remote:http://127.0.0.1:9", post=post, threads=2)

    assert len(model.judge([Question(f"{number}") for number in range(200)])) == 200
    assert max(most) == 2


def test_many_threads_may_ask_while_the_server_takes_less(server: Inference) -> None:
    server.most = 3
    model = opened(server)
    expected = [one.complaint for one in model.judge(MANY[:40])]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: model.judge(MANY[:40]), range(4)))

    assert all([one.complaint for one in answer] == expected for answer in answers)


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/predict"),
        ("http://127.0.0.1:8081/", "http://127.0.0.1:8081/predict"),
        ("http://127.0.0.1:8081/predict", "http://127.0.0.1:8081/predict"),
        ("https://models.example/tei", "https://models.example/tei/predict"),
        ("http://[::1]:8081", "http://[::1]:8081/predict"),
    ],
)
def test_an_address_leads_to_predict(where: str, asked: str) -> None:
    assert remote.address(where) == asked


@pytest.mark.parametrize(
    "where",
    [
        "",
        "127.0.0.1:8081",
        "ftp://a.example",
        "http://",
        "http:///predict",
        "http://a:x",
        "http://a:0",
        "http://[::1",
        "http://a b",
        "http://a\n",
        "http://a/?q=1",
        "http://a/#x",
    ],
)
def test_an_address_that_leads_nowhere_is_refused(where: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        remote.address(where)

    assert str(refused.value) == (
        f"{'remote:' + where!r} does not say where the model is. Write its server's address, for "
        "example remote:http://127.0.0.1:8081."
    )


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(UnknownModel) as refused:
        shelf.address("remote:http://me:hunter2@models.example")

    assert "hunter2" not in str(refused.value)
    assert "kept with every verdict" in str(refused.value)


@given(st.text())
def test_no_address_upsets_the_shelf(where: str) -> None:
    try:
        found = remote.address(where)
    except UnknownModel:
        return
    assert found.endswith("/predict")


@given(st.binary() | st.text().map(str.encode))
def test_no_answer_upsets_the_model(answer: bytes) -> None:
    model = remote.Remote("http://127.0.0.1:9/predict", lambda _: answer)

    with pytest.raises(BrokenModel):
        model.judge([Question("ready")])
