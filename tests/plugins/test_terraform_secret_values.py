"""What a plan or a state marks as sensitive is found, wherever it stands, and nothing else."""

import pytest

from gitops_hooks.plugins.terraform.secret_values import secret_values

MODULE = {
    "resources": [
        {"values": {"a": "no", "b": "yes-1", "c": {"d": "yes-2", "e": 1}}, "sensitive_values": {"b": True, "c": True}}
    ],
    "child_modules": [{"resources": [{"values": {"l": ["no", "yes-3"]}, "sensitive_values": {"l": [False, True]}}]}],
}


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ({}, set()),
        ({"values": {"root_module": MODULE}}, {"yes-1", "yes-2", "1", "yes-3"}),
        ({"planned_values": {"root_module": MODULE}}, {"yes-1", "yes-2", "1", "yes-3"}),
        ({"prior_state": {"values": {"root_module": MODULE}}}, {"yes-1", "yes-2", "1", "yes-3"}),
        (
            {"values": {"outputs": {"a": {"value": "no"}, "b": {"value": ["x", {"y": "z"}], "sensitive": True}}}},
            {"x", "z"},
        ),
        (
            {
                "resource_changes": [
                    {
                        "change": {
                            "before": {"k": "old", "t": True},
                            "before_sensitive": {"k": True, "t": True},
                            "after": {"k": "new"},
                            "after_sensitive": {"k": True},
                        }
                    }
                ]
            },
            {"old", "new"},
        ),
        ({"resource_drift": [{"change": {"before": "d", "before_sensitive": True, "after": None}}]}, {"d"}),
        ({"output_changes": {"o": {"before": None, "after": 12.5, "after_sensitive": True}}}, {"12.5"}),
        (
            {
                "variables": {"a": {"value": "va"}, "b": {"value": "vb"}},
                "configuration": {"root_module": {"variables": {"a": {"sensitive": True}, "b": {}}}},
            },
            {"va"},
        ),
        ({"values": [], "resource_changes": "?", "variables": {"a": 1}, "output_changes": {"x": 3}}, set()),
    ],
)
def test_what_is_marked_is_found(shown, found):
    assert set(secret_values(shown)) == found
