"""What schemathesis has to know of the API that OpenAPI cannot say. `cargo xtask api-fuzz` loads it."""

import schemathesis
from hypothesis import strategies

# A cursor is what the page before gave, and nothing that can be made up. An empty one is none: the first page.
schemathesis.openapi.format("cursor", strategies.just(""))

# Seconds of a long-poll: a minute is right, and too long for thousands of requests.
WAIT_MAX = 1


@schemathesis.hook
def map_query(context, query):
    wait = (query or {}).get("wait")
    if isinstance(wait, int) and WAIT_MAX < wait <= 60:
        return {**query, "wait": WAIT_MAX}
    return query


@schemathesis.hook
def map_body(context, body):
    """JSON Schema counts 100.0 as an integer. Money is refused in that form on purpose: the fraction was lost by accident."""
    return whole(body)


def whole(value):
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
