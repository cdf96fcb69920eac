"""What the tests stand on: a Kubernetes node, a stand-in dokku host, images and routing."""
