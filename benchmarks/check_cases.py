"""What is measured: for each check files as people write them, and what a user would run on them instead.

A tool is given exactly the changed files, already checked out, in its own offline mode: the kindest way to run it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TASK = """\
- name: Install {0} {1}
  ansible.builtin.package:
    name: "web-{0}-{1}"
    state: present

- name: Lay the configuration of {0} {1}
  ansible.builtin.copy:
    content: "listen {0}"
    dest: "/etc/web/site-{0}-{1}.conf"
    owner: root
    mode: "0644"
  when: web_{0}_enabled | default(true)

"""
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{0}
  labels: {{app: web-{0}}}
spec:
  replicas: 3
  selector:
    matchLabels: {{app: web-{0}}}
  template:
    metadata:
      labels: {{app: web-{0}}}
    spec:
      containers:
        - name: web
          image: registry.example.org/web:1.{0}
          args: ["--listen", "8080"]
          ports:
            - containerPort: 8080
          resources:
            limits: {{memory: 256Mi, cpu: 500m}}
"""
MODULE = """\
variable "size_{0}" {{
  type    = number
  default = 3
}}

locals {{
  names_{0} = [for each in range(var.size_{0}) : "web-${{each}}"]
}}

resource "terraform_data" "web_{0}" {{
  count = var.size_{0}
  input = local.names_{0}[count.index]
}}

output "names_{0}" {{
  value = terraform_data.web_{0}[*].output
}}
"""
SCHEMA = {
    "type": "object",
    "required": ["name", "ports"],
    "properties": {"name": {"type": "string"}, "ports": {"type": "array", "items": {"type": "integer"}}},
}
HOOKS = """\
repos:
- repo: local
  hooks:
  - {id: check-yaml, name: check yaml, language: system, entry: check-yaml, types: [yaml]}
  - {id: end-of-file, name: end of file, language: system, entry: end-of-file-fixer, types: [text]}
  - {id: trailing, name: trailing whitespace, language: system, entry: trailing-whitespace-fixer, types: [text]}
"""
Files = Callable[[int, str], tuple[str, str]]
Commands = Callable[[Sequence[str]], Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Case:
    """One row: a check, the file with a number (`word` makes it another), and the tool's commands over paths.

    `target` is what the branch holds besides, for both sides. `most` is how many files a check gives its tools.
    """

    name: str
    check: str
    outside: str
    file: Files
    commands: Commands
    target: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    most: int = 1000


def tasks(number: int, word: str) -> tuple[str, str]:
    text = "---\n" + "".join(TASK.format(number, part) for part in range(4))
    return f"roles/r{number // 5}/tasks/t{number % 5}.yml", text.removesuffix("\n") + (f"# {word}\n" if word else "")


def playbooks(number: int, word: str) -> tuple[str, str]:
    body = "".join(f"    {line}\n" if line else "\n" for line in tasks(number, "")[1].split("\n")[1:-1])
    head = f"---\n- name: Web {number}\n  hosts: web\n  tasks:\n"
    return f"plays/p{number}.yml", head + body + (f"# {word}\n" if word else "")


def documents(number: int, word: str) -> tuple[str, str]:
    services = [{"name": f"web-{number}-{each}", "ports": [8080 + each], "note": word} for each in range(12)]
    return f"data/d{number}.json", json.dumps({"name": "web", "ports": [80, 443], "services": services}, indent=2)


def tables(number: int, word: str) -> tuple[str, str]:
    parts = (f'[service-{each}]\nname = "web-{number}-{each}"\nports = [80, {each}]\n\n' for each in range(12))
    return f"data/d{number}.toml", "".join(parts) + f"# {word}\n"


def manifests(number: int, word: str) -> tuple[str, str]:
    return f"apps/a{number}.yaml", MANIFEST.format(number) + (f"# {word}\n" if word else "")


def modules(number: int, word: str) -> tuple[str, str]:
    return f"infra/m{number // 10}/f{number}.tf", MODULE.format(number) + (f"# {word}\n" if word else "")


def _plain(*words: str) -> Commands:
    return lambda paths: [[*words, *paths]]


def _terraform(paths: Sequence[str]) -> list[list[str]]:
    folders = dict.fromkeys(str(Path(path).parent) for path in paths)
    return [
        ["terraform", "fmt", "-check", *paths],
        *(["sh", "-c", f"cd {each} && terraform init -backend=false >&2 && terraform validate"] for each in folders),
    ]


LINT = {".ansible-lint": "profile: basic\noffline: true\n"}
YAMLLINT = {".yamllint": "extends: relaxed\n"}
CASES = (
    Case("yaml", "yaml", "yamllint", tasks, _plain("yamllint", "-d", "relaxed", "--")),
    Case("yaml, with .yamllint", "yaml", "yamllint", tasks, _plain("yamllint", "--"), target=YAMLLINT),
    Case("json", "json", "check-json", documents, _plain("check-json")),
    Case("toml", "toml", "check-toml", tables, _plain("check-toml")),
    Case(
        "schema",
        "schema",
        "check-jsonschema",
        documents,
        _plain("check-jsonschema", "--schemafile", "schema.json"),
        target={"schema.json": json.dumps(SCHEMA)},
        options={"schemas": {"data/*.json": "schema.json"}},
    ),
    Case("secrets", "secrets", "detect-secrets", tasks, _plain("detect-secrets-hook")),
    Case(
        "kubernetes",
        "kubernetes",
        "kubernetes-validate",
        manifests,
        _plain("kubernetes-validate", "-k", "1.33.0", "--quiet"),
        options={"version": "1.33"},
    ),
    Case(
        "ansible, syntax",
        "ansible",
        "ansible-playbook --syntax-check",
        playbooks,
        lambda paths: [["ansible-playbook", "--syntax-check", "-i", "localhost,", *paths[:20]]],
        options={"folders": ("plays",)},
        most=50,
    ),
    Case(
        "ansible, with .ansible-lint",
        "ansible",
        "ansible-lint",
        playbooks,
        lambda paths: [["ansible-lint", "--offline", "-q", *paths]],
        target=LINT,
        options={"folders": ("plays",)},
        most=50,
    ),
    Case(
        "terraform",
        "terraform",
        "terraform fmt, validate",
        modules,
        _terraform,
        options={"folders": ("infra",)},
        most=50,
    ),
    Case(
        "pre-commit",
        "pre-commit",
        "pre-commit run",
        tasks,
        _plain("pre-commit", "run", "--files"),
        target={".pre-commit-config.yaml": HOOKS},
        options={"folders": ("roles",)},
    ),
)
