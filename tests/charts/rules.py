"""The list of rules: each looks at the manifests of one scenario and yields what is wrong, in words."""

RULES = {}


def rule(check):
    """Registers a rule under its function's name."""
    RULES[check.__name__] = check
    return check
