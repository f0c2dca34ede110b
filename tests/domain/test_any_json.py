"""Whatever a stranger sends is either a command or a rejection that can be sent back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.commands import COMMANDS
from domain.rejection import Rejection, RejectionCode

FIELDS = [
    "items",
    "buyer",
    "fulfillment_address",
    "fulfillment_option_id",
    "id",
    "quantity",
    "email",
    "payment_data",
    "token",
    "provider",
    "billing_address",
]
any_text = st.text(st.characters(codec=None), max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | any_text, inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(command=st.sampled_from(sorted(COMMANDS)), body=anything)
def test_any_json_is_a_command_or_a_rejection_that_names_the_field(command, body):
    outcome = parsed_or_refused(COMMANDS[command], body)

    if isinstance(outcome, Rejection):
        assert outcome.code == RejectionCode.INVALID
        assert outcome.param is not None
        assert outcome.param.startswith("$")
        assert (outcome.message + outcome.param).encode()
    else:
        assert command == outcome.NAME
        assert isinstance(body, dict)


def parsed_or_refused(command, body):
    try:
        return command.parse(body)
    except Rejection as refused:
        return refused
