from domain.refusals import RefusalCode, Refused, invalid


def test_refusals_are_the_same_if_they_say_the_same():
    refusal = invalid("too long", "$.items")

    assert refusal == Refused(RefusalCode.INVALID, "too long", "$.items")
    assert len({refusal, invalid("too long", "$.items"), invalid("too long")}) == 2
    assert refusal != ValueError("too long")


def test_a_refusal_reads_as_its_message():
    assert str(invalid("too long")) == "too long"
