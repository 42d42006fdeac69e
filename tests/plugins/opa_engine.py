"""OPA's own engine, as a library: what policies mean is what it says."""

import importlib.util
import sys
from collections.abc import Mapping
from typing import Any

from tests.unpacked import OPA


def load_bindings() -> Any:
    """Loaded by its path: it lies beside the environment, where nothing else finds it."""
    if "opa_bindings" not in sys.modules:
        place = OPA / "opa_bindings" / "__init__.py"
        spec = importlib.util.spec_from_file_location(
            "opa_bindings", place, submodule_search_locations=[str(place.parent)]
        )
        assert spec and spec.loader
        sys.modules["opa_bindings"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["opa_bindings"]


def answer_of(modules: Mapping[str, str], document: str, value: object, given: object = None) -> Any:
    """What OPA answers for `data.<document>`: a text for a fault, None where it is undefined."""
    bindings = load_bindings()
    with bindings.OpaEngine() as engine:
        try:
            for path, text in modules.items():
                engine.add_policy(path, text)
            engine.add_data(given or {})
            return engine.eval_document(document, value)
        except bindings.OpaUndefinedError:
            return None
        except bindings.OpaError as error:
            return str(error)
