"""The deployer `kubernetes`: rendered manifests, applied by the server's own field manager, pruned by an inventory."""
