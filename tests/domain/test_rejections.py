from domain.rejection import Rejection, RejectionCode, invalid


def test_rejections_are_the_same_if_they_say_the_same():
    rejection = invalid("too long", "$.items")

    assert rejection == Rejection(RejectionCode.INVALID, "too long", "$.items")
    assert len({rejection, invalid("too long", "$.items"), invalid("too long")}) == 2
    assert rejection != ValueError("too long")


def test_a_rejection_reads_as_its_message():
    assert str(invalid("too long")) == "too long"
