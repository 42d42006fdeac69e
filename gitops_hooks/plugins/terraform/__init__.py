"""The Terraform guest: checks of HCL files on proposals, for Terraform and OpenTofu."""
