"""Floor 4, the guests that ship with the suite; they import gitops_hooks.plugin and nothing else of ours."""
