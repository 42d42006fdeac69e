"""What a schema finds in a document: each error on the line of the offending node, in words that quote no value."""

from collections.abc import Iterator, Sequence
from itertools import islice

import jsonschema_rs

from gitops_hooks.plugins.documents import Document, Step, find_node, line_of_key
from gitops_hooks.plugins.json_text import Fault

MOST = 50
_KIND = jsonschema_rs.ValidationErrorKind
_DEPTH = 8


def errors_of(validator: jsonschema_rs.Validator, document: Document) -> Iterator[Fault]:
    """The first fifty errors of one document."""
    try:
        for error in islice(validator.iter_errors(document.value), MOST):
            yield from told(error, document)
    except (ValueError, UnicodeError) as error:
        yield Fault(document.root.line, f"cannot be judged by a schema: {str(error)[:200]}")


def told(error: jsonschema_rs.ValidationError, document: Document, above: Sequence[Step] = ()) -> Iterator[Fault]:
    """One error as faults: an unknown name each, and of several forms the one that came nearest."""
    error = _nearest(error)
    path = [*above, *error.instance_path]
    match error.kind:
        case _KIND.AdditionalProperties(unexpected) | _KIND.UnevaluatedProperties(unexpected):
            for name in unexpected:
                yield Fault(line_of_key(document.root, path, name), f"{_at(path)}'{name[:60]}' is not known here")
        case _:
            yield Fault(find_node(document.root, path).line, f"{_at(path)}{words_of(error)}")


def _nearest(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Where none of several forms fits: the error of the form in which most was right, if that is a single one."""
    for _ in range(_DEPTH):
        match error.kind:
            case _KIND.AnyOf(context) | _KIND.OneOfNotValid(context):
                forms = [form for form in context if len(form) == 1]
                deepest = max((len(form[0].instance_path) for form in forms), default=0)
                near = [form[0] for form in forms if len(form[0].instance_path) == deepest]
                if deepest <= len(error.instance_path) or len(near) != 1:
                    return error
                error = near[0]
            case _:
                return error
    return error


def _at(path: Sequence[Step]) -> str:
    return ".".join(str(step) for step in path)[:200] + ": " if path else ""


def words_of(error: jsonschema_rs.ValidationError) -> str:
    """What must be otherwise; the value itself is never shown, since it may be a secret."""
    match error.kind:
        case _KIND.Type(types):
            return f"must be {' or '.join(_ARTICLES.get(each, each) for each in types)}"
        case _KIND.Required(name):
            return f"'{name[:60]}' is missing"
        case _KIND.Enum(options):
            return f"must be one of {', '.join(str(option)[:40] for option in options[:12])}"
        case _KIND.Constant(expected):
            return f"must be {str(expected)[:60]}"
        case _KIND.Pattern(pattern):
            return f"must match {pattern[:100]}"
        case _KIND.Format(name):
            return f"must be written as a {name}"
        case _KIND.AnyOf() | _KIND.OneOfNotValid():
            return f"fits none of the forms that are allowed here{_forms(error)}"
        case _KIND.OneOfMultipleValid():
            return "fits more than one of the forms of which it must be exactly one"
        case _KIND.FalseSchema():
            return "may not be here"
    return error.message[:200]


def _forms(error: jsonschema_rs.ValidationError) -> str:
    """What the forms lack, where each lacks one thing and it can be said shortly."""
    match error.kind:
        case _KIND.AnyOf(context) | _KIND.OneOfNotValid(context):
            words = [_KIND.AnyOf, _KIND.OneOfNotValid]
            single = [form[0] for form in context if len(form) == 1 and type(form[0].kind) not in words]
            if len(single) == len(context) <= 4:
                return f" ({'; or '.join(dict.fromkeys(words_of(each) for each in single))})"
    return ""


_ARTICLES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
