"""An API server that answers kubectl as Kubernetes is documented to, since the tests have no cluster at hand."""
