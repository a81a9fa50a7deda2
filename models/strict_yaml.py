"""YAML in which a key stands only once: a second `memphis:` is a mistake, where YAML would let it replace the first."""

from __future__ import annotations

from typing import Any

import yaml

from models.errors import ConfigurationError


class _OnceOnly(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int | float):
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key!r} is there twice", key_node.start_mark
                    )
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(text: str, name: str) -> Any:
    """What the text says; `name` is the file's, for messages.

    Raises:
        ConfigurationError: it is no YAML, or a key is there twice; names file and line.
    """
    loader = _OnceOnly(text)
    try:
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = error.problem or str(error)
        raise ConfigurationError(f"{name}: line {line}", problem, "YAML with every key once") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(name, str(error).replace("\n", " "), "YAML") from None
    finally:
        loader.dispose()
