"""The scheduler-k3s dokku plugin: operations read facts from dokku, build objects, hand them to helm."""
