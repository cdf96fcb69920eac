"""From the model to Kubernetes objects, as plain dicts. One module per kind; no input, no output."""
