"""The Ansible guest: static checks on proposals, and the deployer that runs playbooks on rails."""
