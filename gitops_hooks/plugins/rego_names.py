"""Which functions policies may call: those that the engine gets right, and those that none may.

Every name in TRUSTED is held against what OPA answers by a test; the engine answers some others wrongly or never.
"""

TRUSTED = frozenset(
    (
        *("count", "sum", "product", "max", "min", "sort", "abs", "round", "ceil", "floor", "numbers.range"),
        *("contains", "startswith", "endswith", "indexof", "lower", "upper", "replace", "split", "sprintf", "concat"),
        *("substring", "trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix", "trim_space"),
        *("regex.match", "regex.replace", "object.get", "object.keys", "object.union", "object.remove"),
        *("array.concat", "array.slice", "array.reverse", "intersection", "union", "walk"),
        *(
            "is_string",
            "is_number",
            "is_boolean",
            "is_array",
            "is_object",
            "is_set",
            "is_null",
            "type_name",
            "to_number",
        ),
        *("semver.compare", "semver.is_valid", "json.unmarshal", "base64.decode", "base64.encode"),
    )
)
NUMERIC = frozenset(
    ("count", "sum", "product", "abs", "round", "ceil", "floor", "to_number", "indexof", "semver.compare")
)
FORBIDDEN = {
    **dict.fromkeys(("http.send", "net.lookup_ip_addr"), "reaches outside; a verdict comes from what was pushed alone"),
    "opa.runtime": "reads the server's environment",
    **dict.fromkeys(
        ("time.now_ns", "rand.intn", "uuid.rfc4122", "io.jwt.decode_verify"),
        "answers differently tomorrow, and a verdict may not",
    ),
}
