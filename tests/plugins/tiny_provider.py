"""A provider that a repository brings along: one resource, which tells what it sees where it runs."""

import platform
import sys

_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
PLACE = (
    f"terraform.d/plugins/registry.terraform.io/acme/tiny/1.0.0/linux_{_ARCHITECTURE}/terraform-provider-tiny_v1.0.0"
)
PROGRAM = f"""\
#!{sys.executable} -I
import os
import socket

from tf import iface, runner, schema, types


class Note:
    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return "note"

    @classmethod
    def get_schema(cls):
        return schema.Schema(version=1, attributes=[
            schema.Attribute("text", types.String(), required=True),
            schema.Attribute("sees", types.String(), optional=True),
        ])

    def validate(self, diags, type_name, config):
        if path := config["sees"]:
            networks = ", ".join(name for _, name in socket.if_nameindex())
            there = "is there" if os.path.exists(path) else "is not there"
            diags.add_error("What this provider sees", "the file " + there + ", and of networks " + networks)


class Tiny(iface.Provider):
    def get_model_prefix(self):
        return "tiny_"

    def full_name(self):
        return "registry.terraform.io/acme/tiny"

    def get_provider_schema(self, diags):
        return schema.Schema(version=1, attributes=[])

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        pass

    def get_data_sources(self):
        return []

    def get_resources(self):
        return [Note]


runner.run_provider(Tiny())
"""
MODULE = """\
terraform {
  required_providers {
    tiny = {
      source = "acme/tiny"
    }
  }
}

"""
