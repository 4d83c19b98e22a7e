"""What goes wrong."""


class Failed(Exception):
    """A scenario failed; the text says what was expected and what came."""


def expect(truth, otherwise):
    if not truth:
        raise Failed(otherwise)


def expect_equal(what, wanted, came):
    expect(wanted == came, f"{what}: expected {wanted!r}, got {came!r}")
